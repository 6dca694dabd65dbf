//! `module!`.

use crate::class::constant_record;
use crate::types::literal;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Error, Expr, Ident, LitStr, Path, Result, Token, Type, braced, bracketed, parenthesized,
};

#[derive(Default)]
struct Module {
    name: Option<LitStr>,
    version: Option<LitStr>,
    doc: Option<LitStr>,
    functions: Vec<Path>,
    classes: Vec<Path>,
    exceptions: Vec<(Ident, LitStr)>,
    constants: Vec<(Ident, Option<Type>, Expr)>,
    dependencies: Vec<(LitStr, LitStr)>,
    permissions: Vec<(LitStr, LitStr)>,
    init: Option<Path>,
}

impl Parse for Module {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut module = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            match key.to_string().as_str() {
                "name" => module.name = Some(input.parse()?),
                "version" => module.version = Some(input.parse()?),
                "doc" => module.doc = Some(input.parse()?),
                "functions" => module.functions = paths(input)?,
                "classes" => module.classes = paths(input)?,
                "exceptions" => module.exceptions = exceptions(input)?,
                "constants" => module.constants = constants(input)?,
                "dependencies" => module.dependencies = pairs(input)?,
                "permissions" => module.permissions = pairs(input)?,
                "init" => module.init = Some(input.parse()?),
                _ => return Err(Error::new_spanned(key, "unknown part of a module")),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(module)
    }
}

fn paths(input: ParseStream) -> Result<Vec<Path>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<Path, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

fn pairs(input: ParseStream) -> Result<Vec<(LitStr, LitStr)>> {
    let content;
    bracketed!(content in input);
    let mut pairs = Vec::new();
    while !content.is_empty() {
        let pair;
        parenthesized!(pair in content);
        let first = pair.parse()?;
        pair.parse::<Token![,]>()?;
        pairs.push((first, pair.parse()?));
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(pairs)
}

fn exceptions(input: ParseStream) -> Result<Vec<(Ident, LitStr)>> {
    let content;
    braced!(content in input);
    let mut list = Vec::new();
    while !content.is_empty() {
        let name = content.parse()?;
        content.parse::<Token![:]>()?;
        list.push((name, content.parse()?));
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(list)
}

/// `NAME: literal` or `NAME: type = expression`.
fn constants(input: ParseStream) -> Result<Vec<(Ident, Option<Type>, Expr)>> {
    let content;
    braced!(content in input);
    let mut list = Vec::new();
    while !content.is_empty() {
        let name = content.parse()?;
        content.parse::<Token![:]>()?;
        let ahead = content.fork();
        let typed = ahead.parse::<Type>().is_ok() && ahead.peek(Token![=]);
        let ty = if typed {
            let ty = content.parse()?;
            content.parse::<Token![=]>()?;
            Some(ty)
        } else {
            None
        };
        list.push((name, ty, content.parse()?));
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(list)
}

fn check_name(name: &LitStr) -> Result<String> {
    let text = name.value();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain || text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Error::new_spanned(name, "the name of a module is an identifier"));
    }
    Ok(text)
}

/// The descriptor, the exported symbols and the note.
pub fn expand(input: TokenStream) -> Result<TokenStream> {
    let module: Module = syn::parse2(input)?;
    let name = module.name.ok_or_else(|| {
        Error::new(proc_macro2::Span::call_site(), "a module needs `name: \"...\"`")
    })?;
    let text = check_name(&name)?;
    let abi = quote!(::miniscript_sdk::__private);
    let version = match &module.version {
        Some(version) => quote!(#version),
        None => quote!(env!("CARGO_PKG_VERSION")),
    };
    let doc = module.doc.map_or_else(String::new, |doc| doc.value());
    let (functions, classes) = (&module.functions, &module.classes);
    let exceptions = module.exceptions.iter().map(|(name, base)| {
        let name = name.to_string();
        quote! {{
            static IDENTITY: u8 = 0;
            #abi::exception_record(#name, "", #base, &raw const IDENTITY as *const #abi::c_void)
        }}
    });
    let mut constants = Vec::new();
    for (name, ty, expr) in &module.constants {
        constants.push(constant_record(&name.to_string(), &literal(expr, ty.as_ref())?, ""));
    }
    let (dependencies, ranges): (Vec<_>, Vec<_>) = module.dependencies.iter().cloned().unzip();
    let (kinds, scopes): (Vec<_>, Vec<_>) = module.permissions.iter().cloned().unzip();
    let init = match &module.init {
        Some(path) => quote!(#path),
        None => quote!(|_: &::miniscript_sdk::Cx| #abi::NoState),
    };
    let export = format_ident!("ms_ext_{text}");
    let root = format_ident!("ms_root_{text}");
    Ok(quote! {
        /// The descriptor of this extension, for a host that links it statically.
        #[allow(unsafe_code)]
        pub fn descriptor() -> &'static #abi::MsExt {
            unsafe extern "C" fn __ms_init(
                cx: *const #abi::MsContext,
                state: *mut *mut #abi::c_void,
            ) -> #abi::MsStatus {
                // SAFETY: the host calls this as `MsInit` says, and the arguments are passed on.
                unsafe { #abi::init_vm(#text, cx, state, #init) }
            }

            unsafe extern "C" fn __ms_shutdown(cx: *const #abi::MsContext) {
                // SAFETY: the host calls this as `MsShutdown` says, after `init` has succeeded.
                unsafe { #abi::shutdown_vm(cx) }
            }

            static DESCRIPTOR: #abi::MsExt = #abi::MsExt {
                size: ::core::mem::size_of::<#abi::MsExt>(),
                abi_major: #abi::MS_ABI_MAJOR,
                abi_minor: #abi::MS_ABI_MINOR,
                name: #abi::MsStr::new(#text),
                version: #abi::MsStr::new(#version),
                doc: #abi::MsStr::new(#doc),
                functions: #abi::MsTable::new::<#abi::MsFunction>(
                    &[#(<#functions as #abi::Function>::RECORD),*]
                ),
                constants: #abi::MsTable::new::<#abi::MsConst>(&[#(#constants),*]),
                classes: #abi::MsTable::new::<#abi::MsClass>(
                    &[#(#abi::class_record::<#classes>(),)* #(#exceptions),*]
                ),
                dependencies: #abi::MsTable::new::<#abi::MsDependency>(&[#(#abi::MsDependency {
                    name: #abi::MsStr::new(#dependencies),
                    range: #abi::MsStr::new(#ranges),
                }),*]),
                permissions: #abi::MsTable::new::<#abi::MsPermission>(&[#(#abi::MsPermission {
                    kind: #abi::MsStr::new(#kinds),
                    scope: #abi::MsStr::new(#scopes),
                }),*]),
                init: ::core::option::Option::Some(__ms_init),
                shutdown: ::core::option::Option::Some(__ms_shutdown),
            };
            &DESCRIPTOR
        }

        #[allow(unsafe_code, non_upper_case_globals)]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn #export() -> *const #abi::MsExt {
                #abi::export(descriptor())
            }

            extern "C" fn root() -> #abi::RootModuleResult {
                #abi::MsRoot::export(#export)
            }

            #[unsafe(no_mangle)]
            static #root: #abi::MsRootHeader =
                // SAFETY: `root` returns the root module that the header describes.
                unsafe { #abi::root_header(root) };

            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__ms_abi"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".ms_abi"))]
            static NOTE: #abi::MsAbiNote = #abi::MsAbiNote::rust(#text, #version);
        };
    })
}
