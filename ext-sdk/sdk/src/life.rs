//! Whether a VM still lives, as whatever outlives a call has to know it.
//!
//! A kept value, a socket or an operation may lie where nobody ends it before the VM does: in a
//! static, in a payload that another payload looks at while both are being ended. So none of them
//! has the VM's address. They share a [`Life`], which the extension's own `init` and `shutdown`
//! begin and end; it needs nothing of the host that the first version of the ABI did not have.

use crate::host::Host;
use miniscript_abi::*;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// One VM, for as long as an extension of this library is used by it.
pub(crate) struct Life {
    /// Null once it has ended.
    vm: Cell<*mut MsVm>,
    host: &'static Host,
    /// Modules of this library that the VM uses.
    modules: Cell<usize>,
    /// The values kept with `keep_traced`, for objects that cannot be read when they are traced.
    traced: RefCell<Vec<MsValue>>,
    /// Free places among them.
    free: RefCell<Vec<usize>>,
}

thread_local! {
    /// The VMs of this thread. A VM never changes its thread.
    static LIVES: RefCell<Vec<Weak<Life>>> = const { RefCell::new(Vec::new()) };
}

impl Life {
    fn new(vm: *mut MsVm, host: &'static Host) -> Rc<Self> {
        Rc::new(Self {
            vm: Cell::new(vm),
            host,
            modules: Cell::new(0),
            traced: RefCell::default(),
            free: RefCell::default(),
        })
    }

    /// That of a VM whose module has no state yet; one that has ended, if none of its modules is
    /// in use.
    pub(crate) fn of(vm: *mut MsVm, host: &'static Host) -> Rc<Self> {
        let known = LIVES.try_with(|lives| {
            let mut lives = lives.borrow_mut();
            lives.retain(|life| life.strong_count() > 0);
            lives.iter().filter_map(Weak::upgrade).find(|life| std::ptr::eq(life.vm.get(), vm))
        });
        known.ok().flatten().unwrap_or_else(|| Self::new(std::ptr::null_mut(), host))
    }

    /// A module begins to be used.
    pub(crate) fn enter(vm: *mut MsVm, host: &'static Host) -> Rc<Self> {
        let mut life = Self::of(vm, host);
        if life.vm().is_none() {
            life = Self::new(vm, host);
            // Without the list, `init` keeps nothing; calls find their life in the state.
            let _ = LIVES.try_with(|lives| lives.borrow_mut().push(Rc::downgrade(&life)));
        }
        life.modules.set(life.modules.get() + 1);
        life
    }

    /// A module is no longer used; with the last one the VM is out of reach.
    pub(crate) fn leave(&self) {
        let modules = self.modules.get().saturating_sub(1);
        self.modules.set(modules);
        if modules == 0 {
            self.vm.set(std::ptr::null_mut());
        }
    }

    /// The VM, while it lives.
    pub(crate) fn vm(&self) -> Option<*mut MsVm> {
        Some(self.vm.get()).filter(|vm| !vm.is_null())
    }

    /// The functions of its host.
    pub(crate) fn host(&self) -> &'static Host {
        self.host
    }

    /// Notes a traced value; where it is noted.
    pub(crate) fn add_traced(&self, value: MsValue) -> usize {
        let mut traced = self.traced.borrow_mut();
        match self.free.borrow_mut().pop() {
            Some(place) => {
                traced[place] = value;
                place
            }
            None => {
                traced.push(value);
                traced.len() - 1
            }
        }
    }

    /// Forgets a traced value.
    pub(crate) fn remove_traced(&self, place: usize) {
        self.traced.borrow_mut()[place] = MsValue::NONE;
        self.free.borrow_mut().push(place);
    }

    /// All traced values. Some belong to objects that are garbage, which then go a collection
    /// later.
    pub(crate) fn each_traced(&self, mut visit: impl FnMut(&MsValue)) {
        self.traced.borrow().iter().filter(|value| value.is_handle()).for_each(&mut visit);
    }
}
