//! Plain data as a pickle. What is still to be written lies on a stack, so depth costs no native
//! stack.

use std::collections::HashMap;

use miniscript_vm::builtins::Type;
use miniscript_vm::native::Exit;
use miniscript_vm::num::Int;
use miniscript_vm::object::map::{Dict, Set};
use miniscript_vm::object::seq::List;
use miniscript_vm::object::text::{ByteArray, Bytes, Str};
use miniscript_vm::value::Word;
use miniscript_vm::{Value, Vm};

use crate::args;

/// Items that are added by one instruction.
const BATCH: usize = 1000;
/// A frame ends before the object behind so many bytes.
const FRAME: usize = 64 * 1024;
const FRAME_HEADER: usize = 9;
/// Shorter frames go without a header.
const SHORTEST_FRAME: usize = 4;

/// What is still to be written.
enum Task<'v> {
    Object(Value<'v>),
    Code(&'static [u8]),
    /// The end of a tuple or frozenset whose items are written.
    Tuple(Value<'v>),
    FrozenSet(Value<'v>),
    /// The items from a place on.
    List(&'v List, usize),
    /// The entries from a place in the table on, and how many were written.
    Dict(&'v Dict, usize, usize),
    Set(Vec<Value<'v>>, usize),
}

struct Writer<'v> {
    vm: &'v Vm,
    out: Vec<u8>,
    /// Where the header of the current frame lies, if there are frames.
    frame: Option<usize>,
    memo: HashMap<Word, u32>,
    tasks: Vec<Task<'v>>,
    protocol: u8,
}

/// The pickle of `v`; `None` if something in it is not plain.
pub(super) fn pickle<'v>(
    vm: &'v Vm,
    v: Value<'v>,
    protocol: u8,
) -> Result<Option<Vec<u8>>, Exit<'v>> {
    if !(2..=5).contains(&protocol) {
        return Ok(None);
    }
    let out = vec![0x80, protocol];
    let (memo, tasks) = (HashMap::new(), vec![Task::Object(v)]);
    let mut w = Writer { vm, out, frame: None, memo, tasks, protocol };
    w.begin_frame();
    while let Some(task) = w.tasks.pop() {
        vm.tick()?;
        match task {
            Task::Code(code) => w.out.extend_from_slice(code),
            Task::Object(v) => {
                if !w.object(v)? {
                    return Ok(None);
                }
            }
            Task::Tuple(v) => w.end_tuple(v),
            Task::FrozenSet(v) => match w.memo.get(&v.word()).copied() {
                Some(n) => {
                    w.out.push(b'1');
                    w.get(n);
                }
                None => {
                    w.out.push(0x91);
                    w.memoize(v);
                }
            },
            Task::List(list, at) => w.list(list, at),
            Task::Dict(dict, at, count) => w.dict(dict, at, count),
            Task::Set(items, at) => w.set(items, at),
        }
    }
    w.out.push(b'.');
    w.end_frame();
    Ok(Some(w.out))
}

impl<'v> Writer<'v> {
    fn begin_frame(&mut self) {
        if self.protocol >= 4 {
            self.frame = Some(self.out.len());
            self.out.extend_from_slice(&[0; FRAME_HEADER]);
        }
    }

    fn end_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let body = start + FRAME_HEADER;
        let len = self.out.len() - body;
        if len < SHORTEST_FRAME {
            self.out.drain(start..body);
        } else {
            self.out[start] = 0x95;
            self.out[start + 1..body].copy_from_slice(&(len as u64).to_le_bytes());
        }
    }

    fn memoize(&mut self, v: Value<'v>) {
        let n = self.memo.len() as u32;
        self.memo.insert(v.word(), n);
        match n {
            _ if self.protocol >= 4 => self.out.push(0x94),
            0..256 => self.out.extend_from_slice(&[b'q', n as u8]),
            _ => {
                self.out.push(b'r');
                self.out.extend_from_slice(&n.to_le_bytes());
            }
        }
    }

    fn get(&mut self, n: u32) {
        if n < 256 {
            self.out.extend_from_slice(&[b'h', n as u8]);
        } else {
            self.out.push(b'j');
            self.out.extend_from_slice(&n.to_le_bytes());
        }
    }

    /// Writes an object, or the beginning of a container; `false` if it is not plain.
    fn object(&mut self, v: Value<'v>) -> Result<bool, Exit<'v>> {
        if self.frame.is_some_and(|start| self.out.len() - start - FRAME_HEADER >= FRAME) {
            self.vm.check(self.out.len())?;
            self.end_frame();
            self.begin_frame();
        }
        let Some(class) = self.vm.exact_type(v) else { return Ok(false) };
        if v.is_object()
            && let Some(n) = self.memo.get(&v.word()).copied()
        {
            self.get(n);
            return Ok(true);
        }
        match class {
            Type::NoneType => self.out.push(b'N'),
            Type::Bool => self.out.push(if v.as_bool() == Some(true) { 0x88 } else { 0x89 }),
            Type::Int => self.int(v),
            Type::Float => {
                let x = v.as_float().unwrap_or(f64::NAN);
                self.out.push(b'G');
                self.out.extend_from_slice(&x.to_be_bytes());
            }
            Type::Str => {
                let Some(s) = v.get::<Str>() else { return Ok(false) };
                let short = if self.protocol >= 4 { Some(0x8C) } else { None };
                self.data(short, b'X', 0x8D, s.bytes());
                self.memoize(v);
            }
            Type::Bytes if self.protocol >= 3 => {
                let Some(b) = v.get::<Bytes>() else { return Ok(false) };
                self.data(Some(b'C'), b'B', 0x8E, b.bytes());
                self.memoize(v);
            }
            Type::ByteArray if self.protocol >= 5 => {
                let Some(b) = v.get::<ByteArray>() else { return Ok(false) };
                let mut head = vec![0x96];
                head.extend_from_slice(&(b.bytes().len() as u64).to_le_bytes());
                self.long(&head, &b.bytes());
                self.memoize(v);
            }
            Type::Tuple => self.tuple(v),
            Type::List => {
                let Some(list) = v.get::<List>() else { return Ok(false) };
                self.out.push(b']');
                self.memoize(v);
                match list.len() {
                    0 => {}
                    1 => {
                        self.tasks.push(Task::Code(b"a"));
                        self.tasks.extend(list.get(0).map(Task::Object));
                    }
                    _ => self.tasks.push(Task::List(list, 0)),
                }
            }
            Type::Dict => {
                let Some(dict) = v.get::<Dict>() else { return Ok(false) };
                self.out.push(b'}');
                self.memoize(v);
                match dict.entries().as_slice() {
                    [] => {}
                    [(key, value)] => self.tasks.extend([
                        Task::Code(b"s"),
                        Task::Object(*value),
                        Task::Object(*key),
                    ]),
                    _ => self.tasks.push(Task::Dict(dict, 0, 0)),
                }
            }
            Type::Set if self.protocol >= 4 => {
                let Some(set) = v.get::<Set>() else { return Ok(false) };
                self.out.push(0x8F);
                self.memoize(v);
                if !set.is_empty() {
                    self.tasks.push(Task::Set(set.elements(), 0));
                }
            }
            Type::FrozenSet if self.protocol >= 4 => {
                let Some(set) = v.get::<Set>() else { return Ok(false) };
                self.out.push(b'(');
                self.tasks.push(Task::FrozenSet(v));
                self.tasks.extend(set.elements().into_iter().rev().map(Task::Object));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn int(&mut self, v: Value<'v>) {
        let n = match args::int_of(v) {
            Some(Int::Small(n)) => n,
            Some(Int::Big(n)) => return self.long_int(&n.to_signed_bytes_le()),
            None => return,
        };
        if let Ok(n) = u8::try_from(n) {
            self.out.extend_from_slice(&[b'K', n]);
        } else if let Ok(n) = u16::try_from(n) {
            self.out.push(b'M');
            self.out.extend_from_slice(&n.to_le_bytes());
        } else if let Ok(n) = i32::try_from(n) {
            self.out.push(b'J');
            self.out.extend_from_slice(&n.to_le_bytes());
        } else {
            self.long_int(&num_bigint::BigInt::from(n).to_signed_bytes_le());
        }
    }

    fn long_int(&mut self, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(n) => self.out.extend_from_slice(&[0x8A, n]),
            Err(_) => {
                self.out.push(0x8B);
                self.out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            }
        }
        self.out.extend_from_slice(bytes);
    }

    /// Bytes behind an instruction for their length.
    fn data(&mut self, short: Option<u8>, code: u8, long: u8, bytes: &[u8]) {
        match (u8::try_from(bytes.len()), u32::try_from(bytes.len()), short) {
            (Ok(n), _, Some(short)) => {
                self.out.extend_from_slice(&[short, n]);
                self.out.extend_from_slice(bytes);
            }
            (_, Ok(n), _) => {
                let [a, b, c, d] = n.to_le_bytes();
                self.long(&[code, a, b, c, d], bytes);
            }
            _ => {
                let mut head = vec![long];
                head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                self.long(&head, bytes);
            }
        }
    }

    /// Long data lies beyond the frames.
    fn long(&mut self, head: &[u8], bytes: &[u8]) {
        let beyond = self.frame.is_some() && bytes.len() >= FRAME;
        if beyond {
            self.end_frame();
        }
        self.out.extend_from_slice(head);
        self.out.extend_from_slice(bytes);
        if beyond {
            self.begin_frame();
        }
    }

    fn tuple(&mut self, v: Value<'v>) {
        let items = self.vm.tuple_items(v);
        if items.is_empty() {
            return self.out.push(b')');
        }
        if items.len() > 3 {
            self.out.push(b'(');
        }
        self.tasks.push(Task::Tuple(v));
        self.tasks.extend(items.iter().rev().map(|item| Task::Object(*item)));
    }

    fn end_tuple(&mut self, v: Value<'v>) {
        let n = self.vm.tuple_items(v).len();
        // A tuple in itself, by way of a list, is known by now.
        if let Some(known) = self.memo.get(&v.word()).copied() {
            match n {
                1..=3 => self.out.extend(std::iter::repeat_n(b'0', n)),
                _ => self.out.push(b'1'),
            }
            return self.get(known);
        }
        self.out.push(match n {
            1 => 0x85,
            2 => 0x86,
            3 => 0x87,
            _ => b't',
        });
        self.memoize(v);
    }

    fn list(&mut self, list: &'v List, at: usize) {
        if at > 0 && (at.is_multiple_of(BATCH) || at == list.len()) {
            self.out.push(b'e');
        }
        let Some(item) = list.get(at) else { return };
        if at.is_multiple_of(BATCH) {
            self.out.push(b'(');
        }
        self.tasks.extend([Task::List(list, at + 1), Task::Object(item)]);
    }

    /// A dict notices its end only after a full batch, as in CPython.
    fn dict(&mut self, dict: &'v Dict, at: usize, count: usize) {
        if count.is_multiple_of(BATCH) {
            self.out.extend_from_slice(if count > 0 { b"u(" } else { b"(" });
        }
        let next = dict.table().next_live(at);
        match next.and_then(|i| Some((i, dict.entry(i)?))) {
            Some((i, (key, value))) => self.tasks.extend([
                Task::Dict(dict, i + 1, count + 1),
                Task::Object(value),
                Task::Object(key),
            ]),
            None => self.out.push(b'u'),
        }
    }

    fn set(&mut self, items: Vec<Value<'v>>, at: usize) {
        if at.is_multiple_of(BATCH) {
            self.out.extend_from_slice(if at > 0 { b"\x90(" } else { b"(" });
        }
        match items.get(at).copied() {
            Some(item) => self.tasks.extend([Task::Set(items, at + 1), Task::Object(item)]),
            None => self.out.push(0x90),
        }
    }
}
