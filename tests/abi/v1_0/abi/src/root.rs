//! The `abi_stable` side: the root module of a Rust extension.
//!
//! It carries the descriptor's address and, as the types of pointers that are always null, the
//! layouts of all records that may grow. Together with the loader of the engine this is the only
//! place that knows `abi_stable`.

use crate::*;
use abi_stable::StableAbi;
use abi_stable::library::{LibHeader, RootModule};
use abi_stable::prefix_type::{PrefixRefTrait, WithMetadata};
use abi_stable::sabi_types::VersionStrings;

pub use abi_stable::library::{CheckTypeLayout, RootModuleResult};

/// Exported symbols are this and the module's name: the `abi_stable` header of a Rust extension.
pub const MS_ROOT_SYMBOL: &str = "ms_root_";
/// Exported symbols are this and the module's name: the function that returns the descriptor.
pub const MS_EXT_SYMBOL: &str = "ms_ext_";

/// Root module of a Rust extension.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
#[sabi(kind(Prefix), missing_field(option))]
#[allow(missing_docs)]
pub struct MsRoot {
    /// Same function as the symbol `ms_ext_NAME`.
    #[sabi(unsafe_opaque_field)]
    pub descriptor: MsDescriptor,
    pub context: *const MsContext_Ref,
    pub param: *const MsParam_Ref,
    pub function: *const MsFunction_Ref,
    pub constant: *const MsConst_Ref,
    pub class: *const MsClass_Ref,
    pub dependency: *const MsDependency_Ref,
    pub permission: *const MsPermission_Ref,
    pub ext: *const MsExt_Ref,
    pub host_value: *const MsHostValue_Ref,
    pub host_object: *const MsHostObject_Ref,
    pub host_flow: *const MsHostFlow_Ref,
    pub host_task: *const MsHostTask_Ref,
    pub host_net: *const MsHostNet_Ref,
    pub host_file: *const MsHostFile_Ref,
    pub file_request: *const MsFileRequest_Ref,
    pub file_result: *const MsFileResult_Ref,
    #[sabi(last_prefix_field)]
    pub host: *const MsHost_Ref,
}

// SAFETY: the pointers are null and never followed; the function has no state.
unsafe impl Sync for MsRoot_Prefix {}
// SAFETY: as above.
unsafe impl Send for MsRoot_Prefix {}

impl RootModule for MsRoot_Ref {
    abi_stable::declare_root_module_statics! {MsRoot_Ref}
    const BASE_NAME: &'static str = "ms_ext";
    const NAME: &'static str = "ms_ext";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}

impl MsRoot {
    /// The root module of an extension with this descriptor.
    pub const fn new(descriptor: MsDescriptor) -> Self {
        use std::ptr::null;
        Self {
            descriptor,
            context: null(),
            param: null(),
            function: null(),
            constant: null(),
            class: null(),
            dependency: null(),
            permission: null(),
            ext: null(),
            host_value: null(),
            host_object: null(),
            host_flow: null(),
            host_task: null(),
            host_net: null(),
            host_file: null(),
            file_request: null(),
            file_result: null(),
            host: null(),
        }
    }

    /// What the constructor in an extension's header returns. Leaks one small record, once.
    pub fn export(descriptor: MsDescriptor) -> RootModuleResult {
        let root = WithMetadata::new(Self::new(descriptor));
        let root: &'static WithMetadata<Self> = Box::leak(Box::new(root));
        // SAFETY: the header's `MsRoot_Ref` type is exactly what is erased here.
        RootModuleResult::ROk(unsafe { MsRoot_Ref(root.static_as_prefix()).to_prefix_ref().cast() })
    }
}

/// The type of the static `ms_root_NAME`.
pub type MsRootHeader = LibHeader;

/// The value of the static `ms_root_NAME`.
///
/// # Safety
/// `constructor` returns the result of [`MsRoot::export`].
pub const unsafe fn root_header(constructor: extern "C" fn() -> RootModuleResult) -> MsRootHeader {
    // SAFETY: by the caller's promise the erased module is an `MsRoot`.
    unsafe { LibHeader::from_constructor::<MsRoot_Ref>(constructor, CheckTypeLayout::Yes) }
}
