//! Attribute macros of the MiniScript extension SDK.
//!
//! They write records of the C ABI and `extern "C"` wrappers around plain Rust functions; all
//! that the wrappers do at run time is in `miniscript_sdk::__private`.

mod attrs;
mod class;
mod function;
mod module;
mod signature;
mod types;

use proc_macro::TokenStream;

/// Makes a function callable from scripts. See the SDK's documentation.
///
/// Options: `name = "..."`, `positional` (no keyword names), `calls_back` (may run script),
/// `pure`, `typed` (adds an unboxed entry), `kind = "F_I", entry = path` (an unboxed entry that is
/// a function of its own).
/// Options of a parameter, as `#[ms(...)]`: `default = ...`, `optional` (an `Option` or a `Value`
/// that is absent), `name = "..."`, `positional`, `keyword`, `args` (a `Vec`), `kwargs` (a map).
#[proc_macro_attribute]
pub fn function(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(function::expand(options.into(), item.into()))
}

/// Makes a struct a native class. Options: `name = "..."`, `subclassable`.
#[proc_macro_attribute]
pub fn class(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(class::expand_struct(options.into(), item.into()))
}

/// Makes the functions of an `impl` block the methods of a native class.
///
/// Options of a function, as `#[ms(...)]`: `new` (the constructor), `getter`, `setter`, `static`,
/// `trace`, `skip`, `name = "..."`, `calls_back`, `pure`, `positional`. Constants become class
/// attributes.
#[proc_macro_attribute]
pub fn methods(_: TokenStream, item: TokenStream) -> TokenStream {
    finish(class::expand_impl(item.into()))
}

/// Describes the module: `name`, `version`, `doc`, `functions`, `classes`, `exceptions`,
/// `constants`, `dependencies`, `permissions`, `init`.
#[proc_macro]
pub fn module(input: TokenStream) -> TokenStream {
    finish(module::expand(input.into()))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
