//! What a pattern is applied to: a `str`, or the bytes of a bytes-like object.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Action, Again, Exit, NResult};
use miniscript_vm::object::text::Str;
use miniscript_vm::object::view::{Data, data_of};
use miniscript_vm::{Value, Vm};

use super::matcher::{Halt, Meter};

/// A text with what has to be known of it.
pub(super) enum Subject<'v> {
    Text(&'v Str),
    Data(Data<'v>),
}

/// Where to look: bytes, and the same in characters as `Match.pos` and `endpos` tell.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub from: usize,
    pub end: usize,
    pub pos: usize,
    pub endpos: usize,
}

impl<'v> Subject<'v> {
    /// The text of `v`, if there is one.
    pub fn find(v: Value<'v>) -> Option<Subject<'v>> {
        match v.get::<Str>() {
            Some(s) => Some(Subject::Text(s)),
            None => data_of(v).map(Subject::Data),
        }
    }

    /// The text of `v` for a pattern of one of the two kinds.
    pub fn of(vm: &'v Vm, v: Value<'v>, is_text: bool) -> Result<Subject<'v>, Exit<'v>> {
        match (Subject::find(v), is_text) {
            (Some(Subject::Text(_)), false) => {
                Err(vm.type_error("cannot use a bytes pattern on a string-like object"))
            }
            (Some(Subject::Data(_)), true) => {
                Err(vm.type_error("cannot use a string pattern on a bytes-like object"))
            }
            (Some(s), _) => Ok(s),
            (None, _) => {
                let name = vm.type_name(v);
                Err(vm.type_error(format!("expected string or bytes-like object, got '{name}'")))
            }
        }
    }

    /// The bytes that hold it.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Subject::Text(s) => s.bytes(),
            Subject::Data(d) => d,
        }
    }

    /// Whether characters may have several bytes.
    #[inline]
    pub fn is_wide(&self) -> bool {
        matches!(self, Subject::Text(s) if !s.is_ascii())
    }

    /// Number of characters.
    pub fn len(&self) -> usize {
        match self {
            Subject::Text(s) => s.char_len(),
            Subject::Data(d) => d.len(),
        }
    }

    /// All of it.
    pub fn whole(&self) -> Bounds {
        Bounds { from: 0, end: self.bytes().len(), pos: 0, endpos: self.len() }
    }

    /// What arguments `pos` and `endpos` say.
    pub fn bounds(
        &self,
        vm: &'v Vm,
        pos: Value<'v>,
        endpos: Value<'v>,
    ) -> Result<Bounds, Exit<'v>> {
        if pos.is_empty() && endpos.is_empty() {
            return Ok(self.whole());
        }
        let len = self.len();
        let clamp = |n: i64| usize::try_from(n).unwrap_or(0).min(len);
        let pos = clamp(int(vm, pos, 0)?);
        let endpos = clamp(int(vm, endpos, i64::MAX)?);
        let (from, end) = match self {
            Subject::Text(s) => vm.with_text(s, |t| (t.offset(pos), t.offset(endpos))),
            Subject::Data(_) => (pos, endpos),
        };
        Ok(Bounds { from, end, pos, endpos })
    }

    /// The index of the character at a byte.
    pub fn index(&self, vm: &Vm, offset: usize) -> usize {
        match self {
            Subject::Text(s) if !s.is_ascii() => vm.with_text(s, |t| t.index_of(offset)),
            _ => offset,
        }
    }

    /// The part between two bytes, of `whole`, which this is the text of.
    #[inline]
    pub fn slice(&self, vm: &'v Vm, whole: Value<'v>, lo: usize, hi: usize) -> NResult<'v> {
        match self {
            Subject::Text(s) => {
                let bytes: &'v [u8] = s.bytes();
                if lo == 0 && hi == bytes.len() && s.is_exact() {
                    return Ok(whole);
                }
                vm.str_bytes(bytes.get(lo..hi).unwrap_or(b""))
            }
            Subject::Data(d) => {
                let (lo, hi) = (lo.min(d.len()), hi.min(d.len()));
                if hi - lo == d.len() && vm.exact_type(whole) == Some(Type::Bytes) {
                    return Ok(whole);
                }
                vm.bytes(d.get(lo..hi).unwrap_or(b""))
            }
        }
    }

    /// An empty text of the same kind.
    pub fn empty(&self, vm: &'v Vm) -> NResult<'v> {
        match self {
            Subject::Text(_) => vm.str(""),
            Subject::Data(_) => vm.bytes(b""),
        }
    }
}

/// An int argument; Empty stands for `default`.
pub(super) fn int<'v>(vm: &'v Vm, v: Value<'v>, default: i64) -> Result<i64, Exit<'v>> {
    if v.is_empty() {
        return Ok(default);
    }
    match vm.as_index_i64(v) {
        Some(Ok(n)) => Ok(n),
        Some(Err(())) => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        None => Err(Exit::Do(Box::new(Action::Again(Again::Index(v))))),
    }
}

/// Charges the VM for what the matcher does.
pub(super) struct VmMeter<'v> {
    pub vm: &'v Vm,
    pub exit: Option<Exit<'v>>,
}

impl<'v> VmMeter<'v> {
    /// For a match in `vm`.
    pub fn new(vm: &'v Vm) -> VmMeter<'v> {
        VmMeter { vm, exit: None }
    }

    /// Why the matcher was halted.
    pub fn reason(self, halt: Halt) -> Exit<'v> {
        match (self.exit, halt) {
            (Some(exit), _) => exit,
            (None, Halt::Stopped | Halt::Memory) => self.vm.memory_error(),
        }
    }

    fn keep(&mut self, r: Result<(), Exit<'v>>) -> Result<(), Halt> {
        r.map_err(|e| {
            self.exit = Some(e);
            Halt::Stopped
        })
    }
}

impl Meter for VmMeter<'_> {
    fn spend(&mut self, steps: usize) -> Result<(), Halt> {
        let r = self.vm.ticks(steps);
        self.keep(r)
    }

    fn room(&mut self, bytes: usize) -> Result<(), Halt> {
        let r = self.vm.check(bytes);
        self.keep(r)
    }
}
