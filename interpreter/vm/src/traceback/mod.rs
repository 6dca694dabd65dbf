//! Exceptions as CPython prints them: tracebacks with source lines and carets, chains, notes and
//! groups.
//!
//! Rendering itself runs no script code. `str()` of an exception may have to: see
//! [`FORMAT_EXCEPTION`], which gets all texts first.

mod frames;
mod message;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, NResult, NativeDef, Row};
use crate::object::exc::Exception;
use crate::object::map::Dict;
use crate::object::read;
use crate::object::text::Str;
use crate::value::{Value, Word};

pub(crate) use frames::{TRACEBACK, line_at};
pub(crate) use message::SELF_KEY;

/// A native function: the text of an exception with its traceback, as it would be printed.
pub static FORMAT_EXCEPTION: NativeDef = NativeDef::new(
    "format_exception",
    "exc, /",
    |vm, args| vm.format_exception(args[0], Extent::Whole),
    "The text that an uncaught exception prints.",
);

const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";

/// Most members of a group that are shown.
const MAX_WIDTH: usize = 15;
/// Deepest group that is shown.
const MAX_DEPTH: usize = 10;

/// How much of an exception is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// With its traceback and what led to it.
    Whole,
    /// With its traceback.
    Alone,
    /// Its class and text.
    Message,
}

impl Vm {
    /// The text of `exc` as it would be printed, without running script code: where `str()` would
    /// have to, it says so.
    pub fn render_exception(&self, exc: Value<'_>) -> String {
        let texts = FxHashMap::default();
        let mut p = Printer::new(self, &texts, Extent::Whole);
        p.exception(exc);
        p.out
    }

    /// As [`Vm::render_exception`], as a str, with all `__str__` called.
    pub fn format_exception<'v>(&'v self, exc: Value<'v>, extent: Extent) -> NResult<'v> {
        let mut all = Vec::new();
        collect(self, exc, &mut all);
        all.retain(|e| self.convert(*e, 1).is_err());
        let (all, texts) = (self.tuple(&all)?, self.list(Vec::new())?);
        next_text(self, &[exc, all, texts, Value::len(extent as usize)])
    }
}

/// All exceptions that a rendering of `exc` shows.
fn collect<'v>(vm: &'v Vm, exc: Value<'v>, out: &mut Vec<Value<'v>>) {
    let mut seen: FxHashSet<Word> = FxHashSet::default();
    let mut todo = vec![exc];
    while let Some(v) = todo.pop() {
        let Some(e) = v.get::<Exception>().filter(|_| seen.insert(v.word())) else { continue };
        out.push(v);
        todo.push(read(&e.cause));
        todo.push(read(&e.context));
        todo.extend(vm.group_members(v).unwrap_or_default());
    }
}

/// State: the exception, a tuple of exceptions whose `__str__` must be called, the list of texts,
/// the extent.
fn next_text<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static TEXT: Row = Row {
        name: "exception_text",
        catches: true,
        resume: |vm, state, answer| {
            let text = match answer {
                Answer::Value(v) if v.is_a::<Str>() => v,
                _ => vm.str(FAILED)?,
            };
            if let Some(l) = state[2].get::<crate::object::seq::List>() {
                vm.oom(l.push(&vm.heap, text))?;
            }
            next_text(vm, state)
        },
    };
    let texts = vm.plain_items(state[2]).unwrap_or_default();
    let all = vm.tuple_items(state[1]);
    match all.get(texts.len()) {
        Some(e) => {
            let r = vm.convert(*e, 1);
            if r.is_ok() {
                return (TEXT.resume)(vm, state, Answer::Value(r?));
            }
            vm.and_then(r, &TEXT, state.to_vec())
        }
        None => {
            let map = all
                .iter()
                .zip(&texts)
                .map(|(e, t)| (e.word(), text_of(*t)))
                .collect::<FxHashMap<_, _>>();
            let extent = match state[3].as_small() {
                Some(0) => Extent::Whole,
                Some(1) => Extent::Alone,
                _ => Extent::Message,
            };
            let mut p = Printer::new(vm, &map, extent);
            p.exception(state[0]);
            vm.str(&p.out)
        }
    }
}

const FAILED: &str = "<exception str() failed>";

fn text_of(v: Value<'_>) -> String {
    v.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned())
}

struct Printer<'v, 't> {
    vm: &'v Vm,
    texts: &'t FxHashMap<Word, String>,
    extent: Extent,
    out: String,
    depth: usize,
    need_close: bool,
    seen: FxHashSet<Word>,
}

impl<'v, 't> Printer<'v, 't> {
    fn new(vm: &'v Vm, texts: &'t FxHashMap<Word, String>, extent: Extent) -> Printer<'v, 't> {
        Printer {
            vm,
            texts,
            extent,
            out: String::new(),
            depth: 0,
            need_close: false,
            seen: FxHashSet::default(),
        }
    }

    /// Writes lines with the margin of the group around them.
    fn emit(&mut self, text: &str, margin: char) {
        if self.depth == 0 {
            self.out.push_str(text);
            return;
        }
        for line in text.split_inclusive('\n') {
            self.indent();
            self.out.push(margin);
            self.out.push(' ');
            self.out.push_str(line);
        }
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n(' ', 2 * self.depth));
    }

    /// An exception with what led to it.
    fn exception(&mut self, exc: Value<'v>) {
        let mut chain: Vec<(Value<'v>, Option<&str>)> = Vec::new();
        let mut at = exc;
        self.seen.insert(exc.word());
        while let Some(e) = at.get::<Exception>() {
            let (cause, context) = (read(&e.cause), read(&e.context));
            let next = if self.extent != Extent::Whole {
                None
            } else if !cause.is_empty() {
                Some((cause, CAUSE))
            } else if !context.is_empty() && !e.suppress_context() {
                Some((context, CONTEXT))
            } else {
                None
            };
            match next.filter(|(n, _)| self.seen.insert(n.word())) {
                Some((n, text)) => {
                    chain.push((at, Some(text)));
                    at = n;
                }
                None => {
                    chain.push((at, None));
                    break;
                }
            }
        }
        for (e, text) in chain.into_iter().rev() {
            if let Some(t) = text {
                self.emit(t, '|');
            }
            match self.vm.group_members(e) {
                Some(members) if self.extent != Extent::Message => self.group(e, &members),
                _ => self.single(e, "Traceback (most recent call last):\n", '|'),
            }
        }
    }

    fn single(&mut self, e: Value<'v>, title: &str, margin: char) {
        let lines = match self.extent {
            Extent::Message => None,
            _ => frames::render(self.vm, e),
        };
        if let Some(lines) = lines {
            self.emit(title, margin);
            self.emit(&lines, '|');
        }
        let text = self.message(e);
        self.emit(&text, '|');
    }

    fn group(&mut self, e: Value<'v>, members: &[Value<'v>]) {
        if self.depth > MAX_DEPTH {
            self.emit(&format!("... (max_group_depth is {MAX_DEPTH})\n"), '|');
            return;
        }
        let top = self.depth == 0;
        if top {
            self.depth += 1;
        }
        let margin = if top { '+' } else { '|' };
        self.single(e, "Exception Group Traceback (most recent call last):\n", margin);
        let shown = if members.len() <= MAX_WIDTH { members.len() } else { MAX_WIDTH + 1 };
        self.need_close = false;
        for (i, m) in members.iter().enumerate().take(shown) {
            let last = i + 1 == shown;
            if last {
                self.need_close = true;
            }
            let cut = i >= MAX_WIDTH;
            let title = if cut { "...".to_owned() } else { (i + 1).to_string() };
            self.indent();
            let corner = if i == 0 { "+-" } else { "  " };
            self.out.push_str(&format!("{corner}+---------------- {title} ----------------\n"));
            self.depth += 1;
            if cut {
                let n = members.len() - MAX_WIDTH;
                let s = if n > 1 { "s" } else { "" };
                self.emit(&format!("and {n} more exception{s}\n"), '|');
            } else {
                self.exception(*m);
            }
            if last && self.need_close {
                self.indent();
                self.out.push_str("+------------------------------------\n");
                self.need_close = false;
            }
            self.depth -= 1;
        }
        if top {
            self.depth = 0;
        }
    }

    /// The lines after the traceback: class and text, notes.
    fn message(&self, e: Value<'v>) -> String {
        let vm = self.vm;
        let text = match self.texts.get(&e.word()) {
            Some(t) => t.clone(),
            None => match vm.convert(e, 1) {
                Ok(v) => text_of(v),
                Err(_) => FAILED.to_owned(),
            },
        };
        let mut out = String::new();
        let name = message::class_name(vm, e);
        if vm.is_exception_of(e, Type::SyntaxError)
            && let Some(s) = message::syntax_error(vm, e, &name)
        {
            out.push_str(&s);
        } else {
            out.push_str(&name);
            let hint = message::suggestion(vm, e);
            if !text.is_empty() || hint.is_some() {
                out.push_str(": ");
                out.push_str(&text);
                out.push_str(&hint.unwrap_or_default());
            }
            out.push('\n');
        }
        self.notes(e, &mut out);
        out
    }

    fn notes(&self, e: Value<'v>, out: &mut String) {
        let vm = self.vm;
        let Some(notes) = vm.get_attr_raw(e, vm.word_value(vm.names.__notes__)) else { return };
        let Some(items) = vm.plain_items(notes) else {
            if let Ok(r) = vm.convert(notes, 2) {
                out.push_str(&text_of(r));
                out.push('\n');
            }
            return;
        };
        for n in items {
            let text = match vm.convert(n, 1) {
                Ok(v) => text_of(v),
                Err(_) => "<note str() failed>".to_owned(),
            };
            for line in text.split('\n') {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
}

impl Vm {
    /// The members of an exception group.
    pub(crate) fn group_members<'v>(&'v self, e: Value<'v>) -> Option<Vec<Value<'v>>> {
        if !self.is_exception_of(e, Type::BaseExceptionGroup) {
            return None;
        }
        let v = self.get_attr_raw(e, self.word_value(self.names.exceptions))?;
        self.plain_items(v)
    }

    /// The entries of a module's or function's namespace whose keys are names.
    pub(crate) fn names_in(&self, d: Value<'_>) -> Vec<String> {
        let entries = d.get::<Dict>().map_or_else(Vec::new, Dict::entries);
        entries.into_iter().filter(|(k, _)| k.is_a::<Str>()).map(|(k, _)| text_of(k)).collect()
    }
}
