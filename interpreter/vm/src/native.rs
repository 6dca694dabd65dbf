//! The native protocol: how Rust functions are called by scripts, and what they may ask for.
//!
//! A native gets `&Vm` and the values of its arguments, and cannot run script code: while it runs
//! nothing is collected, so it may hold any [`Value`]. What it wants done it *returns*: raise
//! this, call that and go on with [`Row`] `then`, suspend the task on this request. The VM does it
//! and resumes the row with the result, on a frame of the task's own stack. A continuation is thus
//! a row and a few values, never a closure or a native stack.
//!
//! Natives that would have to call script code in the middle of something intricate (comparing
//! lists of script objects, sorting with `__lt__`) do the common case themselves and hand the rest
//! to a function of the prelude, which is written in MiniScript.

use crate::Vm;
use crate::value::{EMPTY, Value, Word};

/// What a native returns.
pub type NResult<'v> = Result<Value<'v>, Exit<'v>>;

/// Why a native did not return a value.
#[derive(Debug)]
pub enum Exit<'v> {
    /// Raise this exception.
    Raise(Value<'v>),
    /// Do this first.
    Do(Box<Action<'v>>),
}

/// What a native asks the VM to do.
pub enum Action<'v> {
    /// Call `func`. Without `then`, its result is the native's result.
    Call {
        /// The callee.
        func: Value<'v>,
        /// Positional arguments, then the values of `kwnames`.
        args: Vec<Value<'v>>,
        /// Tuple of the names of the last arguments, or Empty.
        kwnames: Value<'v>,
        /// How to go on.
        then: Option<Then<'v>>,
    },
    /// Ask iterator `iter` for its next item; the row receives it, or Empty at the end.
    Next {
        /// The iterator.
        iter: Value<'v>,
        /// How to go on.
        then: Then<'v>,
    },
    /// Send `value` into generator or coroutine `generator` (throw it, if `throw`), as `send`
    /// does; raises StopIteration at its end.
    Resume {
        /// The generator.
        generator: Value<'v>,
        /// What to send or throw.
        value: Value<'v>,
        /// Whether to throw.
        throw: bool,
        /// How to go on.
        then: Option<Then<'v>>,
    },
    /// Park the task until the engine answers.
    Suspend {
        /// What the engine is asked for.
        request: Request,
        /// How to go on; without, the answer is the result.
        then: Option<Then<'v>>,
    },
    /// Run the native that returns this again. Only what the caller of a native looks at.
    Again(Again<'v>),
    /// Run a native that calls back on a native stack of its own. See `interp::nested`.
    Nested {
        /// The function.
        run: crate::interp::nested::NestedFn,
        /// Its arguments.
        args: Vec<Value<'v>>,
        /// A number for it.
        data: usize,
    },
}

impl std::fmt::Debug for Action<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Action::Call { .. } => "Call",
            Action::Next { .. } => "Next",
            Action::Resume { .. } => "Resume",
            Action::Suspend { .. } => "Suspend",
            Action::Again(_) => "Again",
            Action::Nested { .. } => "Nested",
        })
    }
}

/// Why a native wants to be run again.
#[derive(Clone, Copy)]
pub enum Again<'v> {
    /// With this argument replaced by the int that its `__index__` gives (for a slice: with its
    /// parts replaced).
    Index(Value<'v>),
    /// With this argument replaced by the str or bytes that its `__fspath__` gives.
    Path(Value<'v>),
    /// After a collection: something that is in its way may be garbage.
    Settled,
}

/// What a suspended task waits for; the engine knows the types.
pub type Request = Box<dyn std::any::Any>;

/// How a native goes on.
pub struct Then<'v> {
    /// The continuation.
    pub row: &'static Row,
    /// What it has to remember, 16 values at most.
    pub state: Vec<Value<'v>>,
}

/// What a continuation is resumed with.
#[derive(Clone, Copy)]
pub enum Answer<'v> {
    /// The result of what was asked for.
    Value(Value<'v>),
    /// The exception it raised. Only rows with `catches` see this.
    Raised(Value<'v>),
}

/// A continuation: a named function, so that a paused task can be saved.
pub struct Row {
    /// A unique name.
    pub name: &'static str,
    /// Whether exceptions are handed to it instead of going on to the caller.
    pub catches: bool,
    /// Goes on. The state is what [`Then`] said.
    pub resume: for<'v> fn(&'v Vm, &[Value<'v>], Answer<'v>) -> NResult<'v>,
}

impl<'v> Answer<'v> {
    /// The value; for rows that do not catch.
    pub fn value(self) -> NResult<'v> {
        match self {
            Answer::Value(v) => Ok(v),
            Answer::Raised(e) => Err(Exit::Raise(e)),
        }
    }
}

/// A leaf function. The arguments are the fixed parameters in order (absent ones Empty), then the
/// `**kwargs` dict if the signature has one, then those of `*args`.
pub type Leaf = for<'v> fn(&'v Vm, &[Value<'v>]) -> NResult<'v>;

/// A function of the host (an extension's): it also gets the native object, for its `data`.
pub type HostFn = for<'v> fn(&'v Vm, &'v crate::object::func::Native, &[Value<'v>]) -> NResult<'v>;

/// The code of a native.
#[derive(Clone, Copy)]
pub enum NativeFn {
    /// One of ours.
    Leaf(Leaf),
    /// One of the host's.
    Host(HostFn),
    /// One of the host's with a typed entry for plain numbers.
    Typed(crate::interp::typed::TypedFn, HostFn),
}

/// What a native is, in the class or module it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A function or method; in a class, the first parameter is the receiver.
    Method,
    /// A static method (`__new__` is one too).
    Static,
    /// A class method; the first parameter is the class.
    Class,
    /// The getter of an attribute.
    Getter,
    /// The setter of an attribute (value Empty: delete); the row before is its getter.
    Setter,
}

/// A row of a native table.
pub struct NativeDef {
    /// The name.
    pub name: &'static str,
    /// The parameters, as in a `def`: `"self, key, /, default=None"`. A default is only shown;
    /// the function sees Empty.
    pub sig: &'static str,
    /// What `sig` says about counts.
    pub arity: Arity,
    /// What it is in its class.
    pub role: Role,
    /// The code.
    pub func: NativeFn,
    /// The docstring.
    pub doc: &'static str,
    /// What the dispatch loop knows of it.
    pub quick: Quick,
}

/// Natives that the dispatch loop runs by itself where the arguments are of the commonest types;
/// each is complete without that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Quick {
    /// None of them.
    No,
    /// `list.append`.
    Append,
    /// `list.pop`.
    Pop,
    /// `dict.get`.
    Get,
    /// `len`.
    Len,
    /// `isinstance`.
    IsInstance,
    /// `ord`.
    Ord,
    /// `abs`.
    Abs,
    /// `min` of ints.
    Min,
    /// `max` of ints.
    Max,
    /// `send` of a generator.
    Send,
    /// `__next__` of a generator.
    Next,
}

/// Numbers of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// Positional parameters without default.
    pub min: u8,
    /// Positional parameters.
    pub max: u8,
    /// All named parameters: the fixed part of what the function receives.
    pub fixed: u8,
    /// Positional-only parameters.
    pub posonly: u8,
    /// Has `*args`.
    pub varargs: bool,
    /// Has `**kwargs`.
    pub varkw: bool,
}

impl Arity {
    /// Reads the counts off a signature.
    pub const fn parse(sig: &str) -> Arity {
        let s = sig.as_bytes();
        let mut a = Arity { min: 0, max: 0, fixed: 0, posonly: 0, varargs: false, varkw: false };
        let mut i = 0;
        let mut kwonly = false;
        while i < s.len() {
            while i < s.len() && (s[i] == b' ' || s[i] == b',') {
                i += 1;
            }
            if i >= s.len() {
                break;
            }
            let start = i;
            let mut has_default = false;
            let mut depth = 0;
            let mut quote = 0u8;
            while i < s.len() && (depth > 0 || quote != 0 || s[i] != b',') {
                let c = s[i];
                if quote != 0 {
                    if c == quote {
                        quote = 0;
                    }
                } else if c == b'\'' || c == b'"' {
                    quote = c;
                } else if c == b'(' || c == b'[' || c == b'{' {
                    depth += 1;
                } else if c == b')' || c == b']' || c == b'}' {
                    depth -= 1;
                } else if c == b'=' {
                    has_default = true;
                }
                i += 1;
            }
            if s[start] == b'/' {
                a.posonly = a.fixed;
            } else if s[start] == b'*' && start + 1 < s.len() && s[start + 1] == b'*' {
                a.varkw = true;
            } else if s[start] == b'*' {
                kwonly = true;
                if i > start + 1 {
                    a.varargs = true;
                }
            } else {
                a.fixed += 1;
                if !kwonly {
                    a.max += 1;
                    if !has_default {
                        a.min += 1;
                    }
                }
            }
        }
        a
    }

    /// Lays out the `n` positional arguments at the start of `window` as a native expects them
    /// (fixed parameters, `**kwargs`, `*args`), and says how many words these are. `None`, with
    /// nothing changed, if they do not fit the signature or the window.
    #[inline]
    pub(crate) fn lay_out(&self, window: &mut [Word], n: usize) -> Option<usize> {
        let (max, fixed) = (self.max as usize, self.fixed as usize);
        if n < self.min as usize || (n > max && !self.varargs) {
            return None;
        }
        let named = fixed + usize::from(self.varkw);
        let total = named + n.saturating_sub(max);
        if total.max(n) > window.len() {
            return None;
        }
        if n > max {
            window.copy_within(max..n, named);
        }
        window.get_mut(n.min(max)..named)?.fill(EMPTY);
        Some(total)
    }

    /// Whether `n` positional arguments need no binding.
    #[inline(always)]
    pub const fn exact(&self, n: usize) -> bool {
        n == self.fixed as usize && n == self.max as usize && !self.varargs && !self.varkw
    }
}

impl NativeDef {
    /// A function or method.
    pub const fn new(
        name: &'static str,
        sig: &'static str,
        func: Leaf,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef {
            name,
            sig,
            arity: Arity::parse(sig),
            role: Role::Method,
            func: NativeFn::Leaf(func),
            doc,
            quick: Quick::No,
        }
    }

    /// The same for one that the dispatch loop knows.
    pub(crate) const fn quick(mut self, quick: Quick) -> NativeDef {
        self.quick = quick;
        self
    }

    /// The same with another role.
    pub const fn role(mut self, role: Role) -> NativeDef {
        self.role = role;
        self
    }

    /// A getter.
    pub const fn getter(name: &'static str, func: Leaf, doc: &'static str) -> NativeDef {
        NativeDef::new(name, "self, /", func, doc).role(Role::Getter)
    }

    /// A setter; the row before must be the getter.
    pub const fn setter(name: &'static str, func: Leaf) -> NativeDef {
        NativeDef::new(name, "self, value, /", func, "").role(Role::Setter)
    }

    /// Names of the fixed parameters, in order.
    pub fn param_names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        let (mut depth, mut start, mut quote) = (0, 0, None);
        let mut add = |part: &'static str| {
            let name = part.split('=').next().unwrap_or("").trim();
            if !name.is_empty() && !name.starts_with(['*', '/']) {
                names.push(name);
            }
        };
        for (i, c) in self.sig.char_indices() {
            match (quote, c) {
                (Some(q), c) if q == c => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(' | '[' | '{') => depth += 1,
                (None, ')' | ']' | '}') => depth -= 1,
                (None, ',') if depth == 0 => {
                    add(&self.sig[start..i]);
                    start = i + 1;
                }
                _ => {}
            }
        }
        add(&self.sig[start..]);
        names
    }
}

impl<'v> Exit<'v> {
    /// Runs the native that returns this again, with its argument `v` replaced by the str or bytes
    /// that its `__fspath__` gives.
    pub fn path_of(v: Value<'v>) -> Exit<'v> {
        Exit::Do(Box::new(Action::Again(Again::Path(v))))
    }

    /// Calls `func` with `args`; its result is the result.
    pub fn tail(func: Value<'v>, args: Vec<Value<'v>>) -> Exit<'v> {
        Exit::Do(Box::new(Action::Call { func, args, kwnames: Value::EMPTY, then: None }))
    }

    /// Calls `func` with `args` and goes on at `row` with `state`.
    pub fn call(
        func: Value<'v>,
        args: Vec<Value<'v>>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> Exit<'v> {
        let then = Some(Then { row, state });
        Exit::Do(Box::new(Action::Call { func, args, kwnames: Value::EMPTY, then }))
    }

    /// Asks an iterator for its next item and goes on at `row`.
    pub fn next(iter: Value<'v>, row: &'static Row, state: Vec<Value<'v>>) -> Exit<'v> {
        Exit::Do(Box::new(Action::Next { iter, then: Then { row, state } }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_counted() {
        let a = Arity::parse("self, key, /, default=None");
        assert_eq!((a.min, a.max, a.fixed, a.posonly), (2, 3, 3, 2));
        let a = Arity::parse("*args, sep=' ', end='\\n', file=None, flush=False");
        assert_eq!((a.min, a.max, a.fixed), (0, 0, 4));
        assert!(a.varargs && !a.varkw);
        let a = Arity::parse("x=(1, 2), *, key=',', **kw");
        assert_eq!((a.min, a.max, a.fixed, a.varkw, a.varargs), (0, 1, 2, true, false));
        assert!(Arity::parse("").exact(0));
    }

    #[test]
    fn arguments_are_laid_out_in_place() {
        let lay = |sig: &str, given: &[Word]| {
            let mut w = [7; 6];
            w[..given.len()].copy_from_slice(given);
            Arity::parse(sig).lay_out(&mut w, given.len()).map(|n| w[..n].to_vec())
        };
        assert_eq!(lay("a, b=1, c=2", &[1]), Some(vec![1, EMPTY, EMPTY]));
        assert_eq!(lay("a, *rest, k=1", &[1, 2, 3]), Some(vec![1, EMPTY, 2, 3]));
        assert_eq!(lay("*rest, **kw", &[1, 2]), Some(vec![EMPTY, 1, 2]));
        assert_eq!(lay("a, *, k=1, **kw", &[1]), Some(vec![1, EMPTY, EMPTY]));
        assert_eq!(lay("a, b", &[1]), None);
        assert_eq!(lay("a", &[1, 2]), None);
        assert_eq!(lay("*rest, k=1, **kw", &[1, 2, 3, 4, 5]), None);
    }
}
