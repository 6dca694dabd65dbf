//! The host side of the extension ABI, over the VM.
//!
//! ```text
//! define      an extension's tables as native rows, once for the process
//! module      a module object with functions, constants and classes, for one VM
//! call        running an entry: arguments in, result or exception or request out
//! handle      values as the ABI has them: scalars, and handles that are checked
//! payload     instances of native classes
//! future      work that completes later, as a task waits for it
//! ops         timers, lookups, file requests and blocking calls under way
//! host_*      the function tables
//! ```
//!
//! One [`Bridge`] belongs to one VM; extensions know it as `MsVm *`. Every function of the tables
//! looks at the calling thread first, then at the running call, whose handles, pending exception
//! and request it keeps. While a native that does not call back runs, nothing is collected; one
//! that does runs on a coroutine stack (`vm::interp::nested`), where only handles survive.
#![allow(unsafe_code)]

mod call;
mod define;
mod error;
mod future;
mod handle;
mod host_class;
mod host_file;
mod host_flow;
mod host_net;
mod host_number;
mod host_object;
mod host_task;
mod host_value;
mod module;
mod ops;
mod payload;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use miniscript_abi::*;
use miniscript_vm::Vm;
use miniscript_vm::heap::Marker;
use miniscript_vm::native::NResult;

use crate::access::{Wanted, refusal};
use crate::files::{FileService, OpenFile};
use crate::host::Importer;
use crate::reactor::{GenSlab, Reactor};
use crate::registry::{Registry, SearchPath};
use call::Call;
use handle::Traced;
use module::Loaded;
use ops::Op;

/// What this host hands to every extension.
static HOST: MsHost = MsHost {
    size: size_of::<MsHost>(),
    abi_major: MS_ABI_MAJOR,
    abi_minor: MS_ABI_MINOR,
    product: MsStr::new(concat!("MiniScript ", env!("CARGO_PKG_VERSION"))),
    wake: Some(future::wake),
    value: &host_value::TABLE,
    object: &host_object::TABLE,
    flow: &host_flow::TABLE,
    task: &host_task::TABLE,
    net: &host_net::TABLE,
    file: &host_file::TABLE,
};

/// Units between two looks at the limits.
const CHARGE_SLICE: u64 = 20_000;

/// Bridges are numbered, so that a handle tells its VM.
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static THREAD: u8 = const { 0 };
}

/// A number that differs between the threads that live.
fn thread_mark() -> usize {
    THREAD.with(|mark| std::ptr::from_ref(mark) as usize)
}

/// What one VM has of its extensions.
pub struct Bridge {
    /// The thread of the VM; the first field, as any thread may read it.
    thread: usize,
    number: u32,
    vm: Cell<*const Vm>,
    me: RefCell<std::rc::Weak<Bridge>>,
    reactor: Rc<Reactor>,
    files: FileService,
    /// Addresses that stand for host names which were granted.
    known_hosts: RefCell<HashSet<SocketAddr>>,
    /// What the last refusal said.
    refusal: RefCell<String>,
    loaded: RefCell<Vec<Rc<Loaded>>>,
    /// Extensions whose import failed, for the next attempt.
    failed: RefCell<Vec<Rc<Loaded>>>,
    /// The native that runs; null while script code does.
    current: Cell<*const Call>,
    traced: RefCell<Traced>,
    carrier_class: Cell<Option<miniscript_vm::handles::Handle>>,
    ops: RefCell<GenSlab<Op>>,
    open_files: RefCell<GenSlab<Rc<OpenFile>>>,
    /// Units charged since the limits were last looked at.
    charged: Cell<u64>,
    /// The VM is about to end: payloads and futures may be dropped, and no more.
    closing: Cell<bool>,
}

impl Bridge {
    /// The bridge of a VM to come.
    pub fn new(reactor: Rc<Reactor>, files: FileService) -> Rc<Bridge> {
        let bridge = Rc::new(Bridge {
            thread: thread_mark(),
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            vm: Cell::new(std::ptr::null()),
            me: RefCell::default(),
            reactor,
            files,
            known_hosts: RefCell::default(),
            refusal: RefCell::default(),
            loaded: RefCell::default(),
            failed: RefCell::default(),
            current: Cell::new(std::ptr::null()),
            traced: RefCell::default(),
            carrier_class: Cell::new(None),
            ops: RefCell::default(),
            open_files: RefCell::default(),
            charged: Cell::new(0),
            closing: Cell::new(false),
        });
        *bridge.me.borrow_mut() = Rc::downgrade(&bridge);
        bridge
    }

    /// Visits what the bridge keeps alive beyond the VM's own handles; called at the start of
    /// each collection.
    pub fn trace(&self, m: &mut Marker) {
        let freed = self.traced.borrow_mut().begin_collection(m);
        if freed > 0 {
            self.vm().heap.refund(freed);
        }
    }

    /// To be called before the VM is dropped: from here on extensions cannot reach it, while the
    /// payloads of its objects end.
    pub fn close(&self) {
        self.closing.set(true);
        self.current.set(std::ptr::null());
    }

    fn rc(&self) -> Rc<Bridge> {
        self.me.borrow().upgrade().expect("a bridge that is used is alive")
    }

    fn as_ms_vm(&self) -> *mut MsVm {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// The VM.
    fn vm(&self) -> &Vm {
        // SAFETY: set when the first extension was imported; the VM is boxed by its engine, and
        // nothing is run for it once it is closing.
        unsafe { &*self.vm.get() }
    }

    /// Counts work of a native; whether the limits are to be looked at.
    fn charge(&self, units: u64) -> bool {
        let sum = self.charged.get().saturating_add(units);
        let due = sum >= CHARGE_SLICE;
        self.charged.set(if due { 0 } else { sum });
        due
    }

    /// Whether something is granted; if not, [`Bridge::refusal`] says so.
    fn permits(&self, wanted: &Wanted<'_>) -> bool {
        let access = &**self.files.access();
        if access.is_unrestricted() || access.allows(wanted) {
            return true;
        }
        if let Wanted::Address(address) = wanted
            && self.known_hosts.borrow().contains(address)
        {
            return true;
        }
        *self.refusal.borrow_mut() = refusal(access, wanted);
        false
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.closing.set(true);
        // Dropped out of the borrow: their ends may run code of extensions.
        let ops = self.ops.take();
        drop(ops);
        for loaded in self.loaded.borrow().iter().rev() {
            loaded.shut_down();
        }
    }
}

/// Imports extensions from the search path.
pub struct Extensions {
    bridge: Rc<Bridge>,
    folders: Vec<PathBuf>,
    project: RefCell<Option<PathBuf>>,
    linked: Vec<&'static MsExt>,
    registry: OnceCell<RefCell<Registry>>,
}

impl Extensions {
    /// Extensions that are linked into the program, in `folders` and at the standard places.
    /// Nothing is looked at before the first import.
    pub fn new(
        bridge: Rc<Bridge>,
        folders: Vec<PathBuf>,
        linked: Vec<&'static MsExt>,
    ) -> Extensions {
        let project = RefCell::default();
        Extensions { bridge, folders, project, linked, registry: OnceCell::new() }
    }

    /// Extensions of a registry.
    pub fn with_registry(bridge: Rc<Bridge>, registry: Registry) -> Extensions {
        let known = OnceCell::from(RefCell::new(registry));
        Extensions {
            bridge,
            folders: Vec::new(),
            project: RefCell::default(),
            linked: Vec::new(),
            registry: known,
        }
    }

    fn registry(&self) -> &RefCell<Registry> {
        self.registry.get_or_init(|| {
            let search = SearchPath::standard(&self.folders, self.project.borrow().as_deref());
            let mut registry = Registry::new(search);
            for descriptor in &self.linked {
                // One that is not right is not there; its import then says what was looked at.
                let _ = registry.link(descriptor);
            }
            RefCell::new(registry)
        })
    }
}

impl Importer for Extensions {
    fn import<'v>(&self, vm: &'v Vm, name: &str) -> Option<NResult<'v>> {
        let registry = self.registry().borrow();
        let known = registry.is_linked(name) || registry.find(name).is_some();
        known.then(|| self.bridge.import(vm, &registry, name))
    }

    fn link(&self, descriptor: &'static MsExt) -> Result<(), String> {
        let registry = self.registry().try_borrow_mut();
        let mut registry = registry.map_err(|_| "an extension is being imported".to_owned())?;
        registry.link(descriptor).map_err(|e| e.to_string())
    }

    fn places(&self, name: &str) -> Vec<PathBuf> {
        self.registry().borrow().search().candidates(name)
    }

    fn set_project(&self, root: PathBuf) {
        self.project.replace(Some(root));
    }

    fn trace(&self, m: &mut Marker) {
        self.bridge.trace(m);
    }

    fn close(&self) {
        self.bridge.close();
    }
}
