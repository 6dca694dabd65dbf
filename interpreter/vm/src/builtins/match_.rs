//! What `match` asks of subjects.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult, Row};
use crate::object::class::{Class, class_flags};
use crate::object::map::Dict;
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::Value;

impl Vm {
    /// Whether `v` matches `[..]` patterns.
    pub(crate) fn match_sequence(&self, v: Value<'_>) -> bool {
        self.pattern_of(v) == Some(class_flags::SEQUENCE)
    }

    /// Whether `v` matches `{..}` patterns.
    pub(crate) fn match_mapping(&self, v: Value<'_>) -> bool {
        self.pattern_of(v) == Some(class_flags::MAPPING)
    }

    fn pattern_of(&self, v: Value<'_>) -> Option<u32> {
        self.class_pattern(self.class_of(v))
    }

    /// The flag of the pattern that instances may match: the first class of the order that has one
    /// decides. The classes of `collections.abc` are flagged by their module.
    pub fn class_pattern(&self, class: &Class) -> Option<u32> {
        class.mro().iter().find_map(|c| {
            let c = c.get::<Class>()?;
            for flag in [class_flags::SEQUENCE, class_flags::MAPPING] {
                if c.has(flag) {
                    return Some(flag);
                }
            }
            if c.has(class_flags::HEAP) {
                return None;
            }
            match c.layout.get() {
                Kind::List | Kind::Tuple | Kind::Range | Kind::Deque | Kind::MemoryView => {
                    Some(class_flags::SEQUENCE)
                }
                Kind::Dict | Kind::MappingProxy => Some(class_flags::MAPPING),
                _ => None,
            }
        })
    }

    /// The values of mapping `subject` for `keys`, or None.
    pub(crate) fn match_keys<'v>(&'v self, subject: Value<'v>, keys: Value<'v>) -> NResult<'v> {
        if self.exact_type(subject) == Some(Type::Dict)
            && let Some(d) = subject.get::<Dict>()
        {
            let names = self.tuple_items(keys);
            if names.iter().all(|k| k.is_a::<Str>()) {
                for (i, k) in names.iter().enumerate() {
                    if names[..i].iter().any(|o| same_text(*o, *k)) {
                        return Err(self.duplicate_key(*k));
                    }
                }
                let found: Option<Vec<Value<'v>>> =
                    names.iter().map(|k| self.dict_get_name(d, *k)).collect();
                return match found {
                    Some(v) => self.tuple(&v),
                    None => Ok(Value::NONE),
                };
            }
        }
        Err(self.prelude_tail("match", "match_keys", &[subject, keys]))
    }

    fn duplicate_key<'v>(&'v self, key: Value<'v>) -> Exit<'v> {
        let text = key.get::<Str>().map_or("?".into(), |s| s.to_display());
        self.value_error(format!("mapping pattern checks duplicate key ('{text}')"))
    }

    /// A dict of what `subject` holds besides `keys`.
    pub(crate) fn match_rest<'v>(&'v self, subject: Value<'v>, keys: Value<'v>) -> NResult<'v> {
        Err(self.prelude_tail("match", "match_rest", &[subject, keys]))
    }

    /// The attributes that a class pattern looks at, or None if the subject does not match.
    pub(crate) fn match_class<'v>(
        &'v self,
        subject: Value<'v>,
        class: Value<'v>,
        count: Value<'v>,
        names: Value<'v>,
    ) -> NResult<'v> {
        static CHECKED: Row = Row {
            name: "match_class",
            catches: false,
            resume: |vm, state, answer| match answer.value()? {
                v if v.is(Value::TRUE) => match_attributes(vm, state),
                _ => Ok(Value::NONE),
            },
        };
        if !class.is_a::<Class>() {
            return Err(self.type_error("called match pattern must be a class"));
        }
        let isinstance = self
            .dict_get_str(self.builtins(), "isinstance")
            .ok_or_else(|| self.err(Type::NameError, "name 'isinstance' is not defined"))?;
        let state = vec![subject, class, count, names];
        let r = self
            .call_leaf(isinstance, &[subject, class])
            .unwrap_or_else(|| Err(Exit::tail(isinstance, vec![subject, class])));
        self.and_then(r, &CHECKED, state)
    }
}

fn same_text(a: Value<'_>, b: Value<'_>) -> bool {
    match (a.get::<Str>(), b.get::<Str>()) {
        (Some(a), Some(b)) => a.bytes() == b.bytes(),
        _ => false,
    }
}

/// Builtin classes whose only positional pattern is the subject itself.
fn matches_self(vm: &Vm, c: &Class) -> bool {
    use Type as T;
    [
        T::Bool,
        T::ByteArray,
        T::Bytes,
        T::Dict,
        T::Float,
        T::FrozenSet,
        T::Int,
        T::List,
        T::Set,
        T::Str,
        T::Tuple,
    ]
    .iter()
    .any(|t| c.is_subclass(vm.class(*t)))
}

/// State: subject, class, number of positional patterns, keyword names.
fn match_attributes<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static FOUND: Row = Row {
        name: "match_args",
        catches: false,
        resume: |vm, state, answer| {
            let args = answer.value()?;
            with_match_args(vm, state, args)
        },
    };
    if state[2].as_small() == Some(0) {
        return with_match_args(vm, state, Value::EMPTY);
    }
    let name = vm.word_value(vm.names.__match_args__);
    let found = vm.or_default(vm.getattr_opt(state[1], name), Type::AttributeError, Value::EMPTY);
    vm.and_then(found, &FOUND, state.to_vec())
}

fn with_match_args<'v>(vm: &'v Vm, state: &[Value<'v>], match_args: Value<'v>) -> NResult<'v> {
    let (subject, count) = (state[0], state[2].as_small().unwrap_or(0) as usize);
    let Some(class) = state[1].get::<Class>() else { return Ok(Value::NONE) };
    let mut names: Vec<Value<'v>> = Vec::new();
    let mut out: Vec<Value<'v>> = Vec::new();
    if count > 0 {
        let allowed = if match_args.is_empty() {
            if matches_self(vm, class) {
                out.push(subject);
                1
            } else {
                0
            }
        } else {
            let Some(t) = match_args.get::<Tuple>() else {
                return Err(vm.type_error(format!(
                    "{}.__match_args__ must be a tuple (got {})",
                    class.name_str(),
                    vm.type_name(match_args)
                )));
            };
            names.extend(t.items().iter().take(count));
            t.len()
        };
        if count > allowed {
            return Err(vm.type_error(format!(
                "{}() accepts {allowed} positional sub-pattern{} ({count} given)",
                class.name_str(),
                if allowed == 1 { "" } else { "s" }
            )));
        }
    }
    for (i, n) in names.iter().enumerate() {
        let Some(s) = n.get::<Str>() else {
            return Err(vm.type_error(format!(
                "__match_args__ elements must be strings (got {})",
                vm.type_name(*n)
            )));
        };
        let again = names[..i].iter().chain(vm.tuple_items(state[3])).any(|o| same_text(*o, *n));
        if again {
            return Err(vm.type_error(format!(
                "{}() got multiple sub-patterns for attribute '{}'",
                class.name_str(),
                s.to_display()
            )));
        }
    }
    names.extend(vm.tuple_items(state[3]));
    let (names, got) = (vm.tuple(&names)?, vm.list(out)?);
    next_attribute(vm, &[subject, names, got, Value::len(0)])
}

/// State: subject, tuple of names, list of values, index.
fn next_attribute<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static GOT: Row = Row {
        name: "match_attribute",
        catches: false,
        resume: |vm, state, answer| {
            let v = answer.value()?;
            let Some(l) = state[2].get::<crate::object::seq::List>().filter(|_| !v.is_empty())
            else {
                return Ok(Value::NONE);
            };
            vm.oom(l.push(&vm.heap, v))?;
            let i = state[3].as_small().unwrap_or(0) as usize;
            next_attribute(vm, &[state[0], state[1], state[2], Value::len(i + 1)])
        },
    };
    let i = state[3].as_small().unwrap_or(0) as usize;
    match vm.tuple_items(state[1]).get(i) {
        None => vm.tuple(&vm.plain_items(state[2]).unwrap_or_default()),
        Some(name) => {
            let name = vm.attribute_name(*name)?;
            let found =
                vm.or_default(vm.getattr_opt(state[0], name), Type::AttributeError, Value::EMPTY);
            vm.and_then(found, &GOT, state.to_vec())
        }
    }
}
