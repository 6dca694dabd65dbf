//! Finalisers: `__del__`, and the `finally` and `with` of a generator that nobody will resume.
//!
//! Objects that have one are noted when they are made. The collector does not free those that
//! it finds dead: with all they refer to they live once more, in a queue, until the host has
//! called what [`Vm::take_finalizer`] tells. After that they are objects as any other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::Vm;
use crate::handles::Handle;
use crate::heap::Marker;
use crate::object::generator::{GenState, Generator};
use crate::value::{Value, Word};

/// Who has a finaliser, and who waits for it.
#[derive(Default)]
pub(crate) struct Finalizers {
    /// Not roots: the collector sweeps this list.
    watched: RefCell<Vec<Word>>,
    doomed: RefCell<VecDeque<Word>>,
    /// Whether some were doomed since a task stopped for it.
    fresh: Cell<bool>,
}

impl Finalizers {
    pub(crate) fn watch(&self, v: Value<'_>) {
        self.watched.borrow_mut().push(v.word());
    }

    /// After marking: dooms those that are dead, and marks them.
    pub(crate) fn doom_dead(&self, vm: &Vm, m: &mut Marker, is_live: impl Fn(Word) -> bool) {
        let mut dead = Vec::new();
        self.watched.borrow_mut().retain(|&w| {
            let live = is_live(w);
            if !live && has_finalizer(vm.word_value(w)) {
                dead.push(w);
            }
            live
        });
        m.words(&dead);
        self.doom(dead);
    }

    fn doom(&self, words: Vec<Word>) {
        if !words.is_empty() {
            self.doomed.borrow_mut().extend(words);
            self.fresh.set(true);
        }
    }

    pub(crate) fn trace(&self, m: &mut Marker) {
        self.doomed.borrow().iter().for_each(|&w| m.word(w));
    }

    /// Whether a task should stop, once, so that the host comes to call finalisers.
    pub(crate) fn stops_task(&self) -> bool {
        self.fresh.take()
    }
}

/// A generator has one while it stands at a `yield`; a coroutine also before it has begun.
fn has_finalizer(v: Value<'_>) -> bool {
    v.get::<Generator>().is_none_or(|g| match g.state.get() {
        GenState::Suspended => !g.func().code().proto.handlers.is_empty(),
        GenState::Created => is_coroutine(g),
        _ => false,
    })
}

fn is_coroutine(g: &Generator) -> bool {
    let flags = &g.func().code().proto.flags;
    flags.coroutine && !flags.generator
}

/// A finaliser to call; the handles are the caller's to release.
pub struct Finalizer {
    /// What to call.
    pub func: Handle,
    /// With what.
    pub args: Vec<Handle>,
    /// What a message about its error names.
    pub shown: Handle,
}

impl Vm {
    /// The next finaliser that is due.
    pub fn take_finalizer(&self) -> Option<Finalizer> {
        loop {
            let word = self.finalizers.doomed.borrow_mut().pop_front()?;
            let v = self.word_value(word);
            if let Some(g) = v.get::<Generator>().filter(|g| g.state.get() == GenState::Created) {
                let name = crate::object::read(&g.qualname);
                g.finish();
                let Ok(func) = self.prelude("warn", "never_awaited") else { continue };
                return Some(Finalizer {
                    func: self.retain(func),
                    args: vec![self.retain(name)],
                    shown: self.retain(v),
                });
            }
            let is_generator = v.is_a::<Generator>();
            let name = if is_generator { self.names.close } else { self.names.__del__ };
            if let Ok(Some((func, args))) = self.method(v, name) {
                return Some(Finalizer {
                    func: self.retain(func),
                    args: args.into_iter().map(|arg| self.retain(arg)).collect(),
                    shown: self.retain(if is_generator { v } else { func }),
                });
            }
        }
    }

    /// Dooms all objects that have a finaliser, dead or not: the program ends. Whether there are
    /// any.
    pub fn doom_all(&self) -> bool {
        let mut watched = self.finalizers.watched.take();
        watched.retain(|&w| has_finalizer(self.word_value(w)));
        self.finalizers.doom(watched);
        !self.finalizers.doomed.borrow().is_empty()
    }

    /// Whether there may be objects with finalisers.
    pub fn watches(&self) -> bool {
        !self.finalizers.watched.borrow().is_empty()
    }
}
