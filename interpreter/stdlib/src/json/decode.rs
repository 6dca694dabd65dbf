//! `_decode`: a document in one pass over its bytes. Open containers lie on a stack of its own,
//! so depth costs no native stack, and a hook of the script's is called between two steps: what
//! is open is then kept in a list until the hook returns.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::seq::List;
use miniscript_vm::object::text::Str;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use super::scan::{self, Bad, Text};
use crate::{ClassDef, args};

/// The arguments, by place.
const TEXT: usize = 0;
const START: usize = 1;
const WHOLE: usize = 2;
const ERROR: usize = 3;
const STRICT: usize = 4;
const OBJECT_HOOK: usize = 5;
const PAIRS_HOOK: usize = 6;
const PARSE_FLOAT: usize = 7;
const PARSE_INT: usize = 8;
const PARSE_CONSTANT: usize = 9;
const COUNT: usize = 10;

pub(super) const SIGNATURE: &str = "text, idx, whole, error, strict=True, object_hook=None, \
     object_pairs_hook=None, parse_float=None, parse_int=None, parse_constant=None, /";

/// Deeper documents raise RecursionError.
pub(super) const MAX_DEPTH: usize = 1500;

/// A container that is not complete.
struct Open<'v> {
    /// A list, a dict, or the list of an object's pairs.
    container: Value<'v>,
    /// The key whose value comes next; Empty in an array.
    key: Value<'v>,
}

/// Where a decoder stands that waits for a hook.
struct Paused {
    at: usize,
}

impl Payload for Paused {}

static PAUSED: ClassDef = ClassDef::closed("json", "paused_decoder", "", &[]);

struct Decoder<'a, 'v> {
    vm: &'v Vm,
    args: &'a [Value<'v>],
    text: &'v [u8],
    at: usize,
    strict: bool,
    open: Vec<Open<'v>>,
    keys: Keys<'v>,
}

/// The keys seen lately: a document has the same ones again and again.
struct Keys<'v>([Value<'v>; Keys::ROOM]);

impl<'v> Keys<'v> {
    const ROOM: usize = 128;

    fn get(&mut self, vm: &'v Vm, text: Text<'_>) -> NResult<'v> {
        let bytes = text.bytes();
        let [first, .., last] = bytes else { return scan::make(vm, text) };
        let middle = bytes[bytes.len() / 2];
        let mix = bytes.len() * 31 + *first as usize * 7 + *last as usize * 13 + middle as usize;
        let slot = &mut self.0[mix % Keys::ROOM];
        if slot.get::<Str>().is_some_and(|s| s.bytes() == bytes) {
            return Ok(*slot);
        }
        *slot = scan::make(vm, text)?;
        Ok(*slot)
    }
}

/// `_decode(text, idx, ..)`: the value; with its end, unless it is the whole text.
pub(super) fn decode<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let s = args::text(vm, args[TEXT], "first argument")?;
    let start = args::size(vm, args[START], 0)?;
    let Ok(start) = usize::try_from(start) else {
        return Err(vm.value_error("idx cannot be negative"));
    };
    let mut d = Decoder::new(vm, args, s)?;
    if start > s.char_len() {
        let state = vec![vm.str("Expecting value")?, args[TEXT], Value::len(start)];
        return Err(Exit::call(args[ERROR], state, &RAISE, vec![]));
    }
    d.at = if s.is_ascii() { start } else { wtf8::Text::new(s.bytes()).offset(start) };
    if vm.truth(args[WHOLE])? {
        d.skip_space();
    }
    d.run(None)
}

static RAISE: Row =
    Row { name: "json_error", catches: false, resume: |_, _, e| Err(Exit::Raise(e.value()?)) };

/// A hook has returned. State: the arguments, the open containers and keys, the place.
static HOOKED: Row = Row {
    name: "json_hooked",
    catches: false,
    resume: |vm, state, answer| {
        let value = answer.value()?;
        let Some(s) = state[TEXT].get::<Str>() else { return Ok(value) };
        let mut d = Decoder::new(vm, &state[..COUNT], s)?;
        if let Some(open) = state[COUNT].get::<List>() {
            let pairs = open.to_vec();
            d.open.extend(pairs.chunks(2).map(|p| Open { container: p[0], key: p[1] }));
        }
        for open in &mut d.open {
            if open.key.is_none() {
                open.key = Value::EMPTY;
            }
        }
        let paused = state[COUNT + 1].get::<Opaque>();
        d.at = paused.and_then(|o| o.with(|p: &mut Paused| p.at)).unwrap_or(0);
        d.run(Some(value))
    },
};

impl<'a, 'v> Decoder<'a, 'v> {
    fn new(vm: &'v Vm, args: &'a [Value<'v>], s: &'v Str) -> Result<Decoder<'a, 'v>, Exit<'v>> {
        Ok(Decoder {
            vm,
            args,
            text: s.bytes(),
            at: 0,
            strict: args::flag(vm, args[STRICT], true)?,
            open: Vec::new(),
            keys: Keys([Value::EMPTY; Keys::ROOM]),
        })
    }

    /// The hook given as argument `i`.
    fn hook(&self, i: usize) -> Option<Value<'v>> {
        let v = self.args[i];
        (!v.is_empty() && !v.is_none()).then_some(v)
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// Reads on from a value, or from one that is complete.
    fn run(&mut self, mut value: Option<Value<'v>>) -> NResult<'v> {
        loop {
            self.vm.tick()?;
            let Some(done) = (match value.take() {
                Some(v) => Some(v),
                None => self.value()?,
            }) else {
                continue;
            };
            if self.open.is_empty() {
                return self.finish(done);
            }
            value = self.add(done)?;
        }
    }

    /// The whole value.
    fn finish(&mut self, value: Value<'v>) -> NResult<'v> {
        if !self.vm.truth(self.args[WHOLE])? {
            return self.vm.tuple(&[value, Value::len(self.chars(self.at))]);
        }
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.bad(Bad { msg: "Extra data", at: self.at }));
        }
        Ok(value)
    }

    /// Reads a value, or opens a container whose first value comes next.
    fn value(&mut self) -> Result<Option<Value<'v>>, Exit<'v>> {
        let at = self.at;
        let expecting = Bad { msg: "Expecting value", at };
        let word = |w: &[u8]| self.text[at..].starts_with(w);
        match self.text.get(at) {
            Some(b'"') => {
                let text = self.string(at + 1)?;
                return scan::make(self.vm, text).map(Some);
            }
            Some(b'{') => return self.open_object(),
            Some(b'[') => return self.open_array(),
            Some(b'n') if word(b"null") => {
                self.at += 4;
                return Ok(Some(Value::NONE));
            }
            Some(b't') if word(b"true") => {
                self.at += 4;
                return Ok(Some(Value::TRUE));
            }
            Some(b'f') if word(b"false") => {
                self.at += 5;
                return Ok(Some(Value::FALSE));
            }
            Some(b'N') if word(b"NaN") => return self.constant("NaN", f64::NAN),
            Some(b'I') if word(b"Infinity") => return self.constant("Infinity", f64::INFINITY),
            Some(b'-') if word(b"-Infinity") => {
                return self.constant("-Infinity", f64::NEG_INFINITY);
            }
            _ => {}
        }
        let number = scan::number(self.text, at).ok_or(expecting).map_err(|e| self.bad(e))?;
        self.at = number.end;
        let digits = &self.text[at..number.end];
        let hook = if number.is_int { PARSE_INT } else { PARSE_FLOAT };
        if let Some(hook) = self.hook(hook) {
            return Err(self.call(hook, self.vm.str_bytes(digits)?));
        }
        match number.is_int {
            true => scan::int(self.vm, digits).map(Some),
            false => Ok(Some(scan::float(digits))),
        }
    }

    fn constant(&mut self, name: &str, x: f64) -> Result<Option<Value<'v>>, Exit<'v>> {
        self.at += name.len();
        match self.hook(PARSE_CONSTANT) {
            Some(hook) => Err(self.call(hook, self.vm.str(name)?)),
            None => Ok(Some(Value::float(x))),
        }
    }

    fn string(&mut self, start: usize) -> Result<Text<'v>, Exit<'v>> {
        let (text, end) = scan::string(self.text, start, self.strict).map_err(|e| self.bad(e))?;
        self.at = end;
        Ok(text)
    }

    fn open_array(&mut self) -> Result<Option<Value<'v>>, Exit<'v>> {
        let list = self.vm.list(Vec::new())?;
        self.at += 1;
        self.skip_space();
        if self.text.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(Some(list));
        }
        self.push(list, "array", Value::EMPTY)?;
        Ok(None)
    }

    fn open_object(&mut self) -> Result<Option<Value<'v>>, Exit<'v>> {
        let container = match self.hook(PAIRS_HOOK) {
            Some(_) => self.vm.list(Vec::new())?,
            None => Value::object(self.vm.dict()),
        };
        self.at += 1;
        self.skip_space();
        if self.text.get(self.at) == Some(&b'}') {
            self.at += 1;
            return self.close_object(container).map(Some);
        }
        let key = self.key()?;
        self.push(container, "object", key)?;
        Ok(None)
    }

    fn push(&mut self, container: Value<'v>, kind: &str, key: Value<'v>) -> Result<(), Exit<'v>> {
        if self.open.len() >= MAX_DEPTH {
            let text = format!(
                "maximum recursion depth exceeded while decoding a JSON {kind} from a unicode string"
            );
            return Err(self.vm.err(Type::RecursionError, text));
        }
        self.open.push(Open { container, key });
        Ok(())
    }

    /// A key and its colon; its value comes next.
    fn key(&mut self) -> NResult<'v> {
        if self.text.get(self.at) != Some(&b'"') {
            let msg = "Expecting property name enclosed in double quotes";
            return Err(self.bad(Bad { msg, at: self.at }));
        }
        let text = self.string(self.at + 1)?;
        let key = self.keys.get(self.vm, text)?;
        self.skip_space();
        if self.text.get(self.at) != Some(&b':') {
            return Err(self.bad(Bad { msg: "Expecting ':' delimiter", at: self.at }));
        }
        self.at += 1;
        self.skip_space();
        Ok(key)
    }

    /// Adds a value to the innermost container; the container, if it is complete then.
    fn add(&mut self, value: Value<'v>) -> Result<Option<Value<'v>>, Exit<'v>> {
        let vm = self.vm;
        let Some(open) = self.open.last() else { return Ok(Some(value)) };
        let (container, key) = (open.container, open.key);
        let item = match container.get::<List>() {
            Some(_) if !key.is_empty() => vm.tuple(&[key, value])?,
            _ => value,
        };
        if let Some(list) = container.get::<List>() {
            vm.oom(list.push(&vm.heap, item))?;
        } else if let Some(dict) = container.get::<Dict>() {
            vm.dict_set_name(dict, key, item)?;
        }
        self.skip_space();
        let end = if key.is_empty() { b']' } else { b'}' };
        match self.text.get(self.at) {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                if !key.is_empty() {
                    let key = self.key()?;
                    if let Some(open) = self.open.last_mut() {
                        open.key = key;
                    }
                }
                Ok(None)
            }
            Some(b) if *b == end => {
                self.at += 1;
                self.open.pop();
                match key.is_empty() {
                    true => Ok(Some(container)),
                    false => self.close_object(container).map(Some),
                }
            }
            _ => Err(self.bad(Bad { msg: "Expecting ',' delimiter", at: self.at })),
        }
    }

    /// What an object is for the script: the hooks say.
    fn close_object(&mut self, container: Value<'v>) -> NResult<'v> {
        match self.hook(PAIRS_HOOK).or_else(|| self.hook(OBJECT_HOOK)) {
            Some(hook) => Err(self.call(hook, container)),
            None => Ok(container),
        }
    }

    /// Calls a hook and goes on with its result.
    fn call(&mut self, hook: Value<'v>, arg: Value<'v>) -> Exit<'v> {
        let vm = self.vm;
        let none = |v: Value<'v>| if v.is_empty() { Value::NONE } else { v };
        let open = self.open.iter().flat_map(|o| [o.container, none(o.key)]).collect();
        let open = match vm.list(open) {
            Ok(open) => open,
            Err(e) => return e,
        };
        let mut state: Vec<_> = self.args.iter().map(|v| none(*v)).collect();
        state[STRICT] = Value::bool(self.strict);
        state.push(open);
        match PAUSED.of(vm) {
            Ok(class) => state.push(vm.opaque(class, Some(Box::new(Paused { at: self.at })))),
            Err(e) => return e,
        }
        Exit::call(hook, vec![arg], &HOOKED, state)
    }

    /// How many characters are before a byte.
    fn chars(&self, at: usize) -> usize {
        miniscript_vm::text_len(&self.text[..at.min(self.text.len())])
    }

    /// Raises JSONDecodeError.
    fn bad(&self, bad: Bad) -> Exit<'v> {
        let place = Value::len(self.chars(bad.at));
        match self.vm.str(bad.msg) {
            Ok(msg) => {
                let state = vec![msg, self.args[TEXT], place];
                Exit::call(self.args[ERROR], state, &RAISE, vec![])
            }
            Err(e) => e,
        }
    }
}
