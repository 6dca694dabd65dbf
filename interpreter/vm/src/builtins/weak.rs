//! Weak references: making them, and calling their callbacks.
//!
//! Callbacks become due in a collection. They run after `gc.collect()`, or at the backward jump
//! behind whose safepoint the collection was: on a frame above the running one, whose result is
//! dropped.

use crate::Vm;
use crate::heap::Kind;
use crate::interp::dispatch::Flow;
use crate::interp::state::Mode;
use crate::native::{Answer, Exit, NResult, NativeDef, Row};
use crate::object::class::{Class, class_flags};
use crate::object::text::Str;
use crate::object::weak::WeakRef;
use crate::value::Value;

/// Natives of the prelude's file.
pub(crate) const INTERNAL: &[NativeDef] = &[NativeDef::new("__next_due", "", next_due, "")];

fn next_due<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let Some(w) = vm.weak.next_due() else { return Ok(Value::NONE) };
    let weak = vm.word_value(w);
    let callback = weak.get::<WeakRef>().map_or(Value::NONE, WeakRef::callback);
    vm.tuple(&[callback, weak])
}

/// After the callbacks that a collection at a safepoint made due.
static CALLED: Row = Row {
    name: "weak_called",
    catches: true,
    resume: |vm, _, _| {
        vm.weak.running.set(false);
        Ok(Value::NONE)
    },
};

/// After the callbacks that `gc.collect()` made due. State: its result.
static COLLECTED: Row = Row {
    name: "weak_collected",
    catches: true,
    resume: |vm, state, answer: Answer<'_>| {
        vm.weak.running.set(false);
        answer.value().map(|_| state[0])
    },
};

impl Vm {
    /// A weak reference of class `class` to `target`; `callback` may be None.
    pub fn weak_ref<'v>(
        &'v self,
        class: &'v Class,
        target: Value<'v>,
        callback: Value<'v>,
    ) -> Value<'v> {
        let new = WeakRef::new(class.root_shape.get(), target, callback);
        let weak = self.alloc_with_attrs(new, 0, false);
        self.weak.add(target, weak);
        weak
    }

    /// The weak references to `target`.
    pub fn weak_refs<'v>(&'v self, target: Value<'v>) -> Vec<Value<'v>> {
        self.weak.of(target).into_iter().map(|w| self.word_value(w)).collect()
    }

    /// Whether there can be weak references to `v`.
    pub fn takes_weak_refs(&self, v: Value<'_>) -> bool {
        let class = self.class_of(v);
        let script = |c: &Class| {
            c.has(class_flags::HEAP)
                && match self.class_own(
                    c,
                    self.name_hash(self.names.__slots__),
                    self.names.__slots__,
                ) {
                    None => true,
                    Some(slots) => self.names_weakref(slots),
                }
        };
        let derived = || class.mro().iter().filter_map(|c| c.get::<Class>()).any(script);
        match v.kind() {
            None => false,
            Some(
                Kind::Function
                | Kind::Native
                | Kind::BoundMethod
                | Kind::Class
                | Kind::Set
                | Kind::FrozenSet
                | Kind::Generator
                | Kind::Module
                | Kind::Code
                | Kind::MemoryView
                | Kind::Deque
                | Kind::Opaque
                | Kind::GenericAlias
                | Kind::WeakRef,
            ) => true,
            Some(Kind::Record) if !class.has(class_flags::NO_DICT) => true,
            Some(Kind::BigInt | Kind::Int64 | Kind::Tuple | Kind::Bytes) => false,
            Some(_) => derived(),
        }
    }

    fn names_weakref(&self, slots: Value<'_>) -> bool {
        let is = |v: Value<'_>| v.get::<Str>().is_some_and(|s| s.bytes() == b"__weakref__");
        is(slots) || self.plain_items(slots).is_some_and(|names| names.into_iter().any(is))
    }

    /// Begins to call the callbacks that are due, behind a backward jump.
    pub(crate) fn begin_callbacks(&self) -> Flow {
        if self.weak.running.replace(true) {
            return Flow::Next;
        }
        match self.prelude("weak", "run_callbacks") {
            Ok(f) => self.push_call(f, &[], &CALLED, &[], 0, Mode::Discard),
            Err(_) => Flow::Next,
        }
    }

    /// Calls the callbacks that are due; `result` is what comes of it.
    pub fn run_callbacks<'v>(&'v self, result: Value<'v>) -> NResult<'v> {
        if !self.weak.any_due() || self.weak.running.replace(true) {
            return Ok(result);
        }
        let run = self.prelude("weak", "run_callbacks")?;
        Err(Exit::call(run, Vec::new(), &COLLECTED, vec![result]))
    }
}
