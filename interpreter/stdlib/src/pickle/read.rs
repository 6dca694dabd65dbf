//! Pickles of plain data. An instruction that is not for plain data, and whatever is wrong, is
//! left to the source: it reads the pickle again.

use miniscript_vm::native::Exit;
use miniscript_vm::num::{Int, int};
use miniscript_vm::object::map::{Dict, Set};
use miniscript_vm::object::seq::List;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

struct Reader<'a, 'v> {
    vm: &'v Vm,
    data: &'a [u8],
    at: usize,
    stack: Vec<Value<'v>>,
    marks: Vec<usize>,
    memo: Vec<Value<'v>>,
}

/// The object of a pickle; `None` if it is not for this reader.
pub(super) fn unpickle<'v>(vm: &'v Vm, data: &[u8]) -> Result<Option<Value<'v>>, Exit<'v>> {
    let (stack, marks, memo) = (Vec::new(), Vec::new(), Vec::new());
    let mut r = Reader { vm, data, at: 0, stack, marks, memo };
    loop {
        vm.tick()?;
        let Some([code]) = r.take(1) else { return Ok(None) };
        if *code == b'.' {
            return Ok(r.stack.pop());
        }
        if r.step(*code).is_none() {
            return Ok(None);
        }
    }
}

impl<'a, 'v> Reader<'a, 'v> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(n)?;
        let bytes = self.data.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn number(&mut self, n: usize) -> Option<u64> {
        let mut raw = [0; 8];
        raw[..n].copy_from_slice(self.take(n)?);
        Some(u64::from_le_bytes(raw))
    }

    /// Bytes behind a length of `n` bytes.
    fn sized(&mut self, n: usize) -> Option<&'a [u8]> {
        let len = self.number(n)?;
        self.take(usize::try_from(len).ok()?)
    }

    fn since_mark(&mut self) -> Option<Vec<Value<'v>>> {
        let mark = self.marks.pop()?;
        (mark <= self.stack.len()).then(|| self.stack.split_off(mark))
    }

    fn put(&mut self, n: usize) -> Option<()> {
        let v = *self.stack.last()?;
        // A place far beyond the others would be a trap.
        if n > self.memo.len() + 1000 {
            return None;
        }
        if n >= self.memo.len() {
            self.memo.resize(n + 1, Value::EMPTY);
        }
        self.memo[n] = v;
        Some(())
    }

    fn get(&mut self, n: usize) -> Option<()> {
        let v = *self.memo.get(n).filter(|v| !v.is_empty())?;
        self.stack.push(v);
        Some(())
    }

    /// Performs an instruction.
    fn step(&mut self, code: u8) -> Option<()> {
        let vm = self.vm;
        let value = match code {
            0x80 => return (self.number(1)? <= 5).then_some(()),
            0x95 => return self.number(8).map(|_| ()),
            b'N' => Value::NONE,
            0x88 => Value::TRUE,
            0x89 => Value::FALSE,
            b'K' => vm.uint(self.number(1)?),
            b'M' => vm.uint(self.number(2)?),
            b'J' => vm.int(i64::from(self.number(4)? as u32 as i32)),
            0x8A => {
                let bytes = self.sized(1)?;
                match int::from_bytes(bytes, int::Endian::Little, true) {
                    Int::Small(n) => vm.int(n),
                    Int::Big(n) => vm.bigint(n),
                }
            }
            b'G' => {
                let raw = self.take(8)?.try_into().ok()?;
                Value::float(f64::from_be_bytes(raw))
            }
            b'X' => self.text(4)?,
            0x8C => self.text(1)?,
            0x8D => self.text(8)?,
            b'B' => vm.bytes(self.sized(4)?).ok()?,
            b'C' => vm.bytes(self.sized(1)?).ok()?,
            0x8E => vm.bytes(self.sized(8)?).ok()?,
            b'(' => {
                self.marks.push(self.stack.len());
                return Some(());
            }
            b')' => vm.empty_tuple(),
            0x85..=0x87 => {
                let n = usize::from(code - 0x84);
                let from = self.stack.len().checked_sub(n)?;
                let items = self.stack.split_off(from);
                vm.tuple(&items).ok()?
            }
            b't' => {
                let items = self.since_mark()?;
                vm.tuple(&items).ok()?
            }
            b']' => vm.list(Vec::new()).ok()?,
            b'}' => Value::object(vm.dict()),
            0x8F => Value::object(vm.set()),
            b'a' => {
                let item = self.stack.pop()?;
                return vm.oom(self.top::<List>()?.push(&vm.heap, item)).ok();
            }
            b'e' => {
                let items = self.since_mark()?;
                let list = self.top::<List>()?;
                for item in items {
                    vm.oom(list.push(&vm.heap, item)).ok()?;
                }
                return Some(());
            }
            b's' => {
                let value = self.stack.pop()?;
                let key = self.stack.pop()?;
                return self.store(&[key, value]);
            }
            b'u' => {
                let items = self.since_mark()?;
                return self.store(&items);
            }
            0x90 => {
                let items = self.since_mark()?;
                self.top::<Set>()?;
                let set = *self.stack.last()?;
                for item in items {
                    vm.set_add(set, item).ok()?;
                }
                return Some(());
            }
            b'h' => {
                let n = self.number(1)?;
                return self.get(n as usize);
            }
            b'j' => {
                let n = self.number(4)?;
                return self.get(n as usize);
            }
            b'q' => {
                let n = self.number(1)?;
                return self.put(n as usize);
            }
            b'r' => {
                let n = self.number(4)?;
                return self.put(n as usize);
            }
            0x94 => {
                self.memo.push(*self.stack.last()?);
                return Some(());
            }
            b'0' => return self.stack.pop().map(|_| ()),
            b'1' => return self.since_mark().map(|_| ()),
            _ => return None,
        };
        self.stack.push(value);
        Some(())
    }

    /// The object on top, which must have been made here.
    fn top<T: miniscript_vm::heap::Object>(&self) -> Option<&'v T> {
        self.stack.last()?.get::<T>()
    }

    fn text(&mut self, n: usize) -> Option<Value<'v>> {
        let bytes = self.sized(n)?;
        if !bytes.is_ascii() {
            wtf8::scan(bytes).ok()?;
        }
        self.vm.str_bytes(bytes).ok()
    }

    fn store(&mut self, pairs: &[Value<'v>]) -> Option<()> {
        let dict = self.top::<Dict>()?;
        for pair in pairs.chunks(2) {
            let [key, value] = pair else { return None };
            if !self.vm.dict_store(dict, *key, *value).ok()? {
                return None;
            }
        }
        Some(())
    }
}
