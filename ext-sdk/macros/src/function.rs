//! `#[function]`.

use crate::attrs::Options;
use crate::signature::{Signature, flag_tokens};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemFn, Result};

/// The function unchanged, and a type of the same name that carries its record.
pub fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = Options::parse(
        options,
        &["name", "positional", "calls_back", "pure", "typed", "kind", "entry"],
    )?;
    let mut function: ItemFn = syn::parse2(item)?;
    let signature = Signature::read(&mut function.sig, &function.attrs, &options, 0)?;
    let abi = quote!(::miniscript_sdk::__private);
    let (name, visibility) = (&function.sig.ident, &function.vis);
    let (conversion, arguments) = signature.conversion();
    let call = quote!(#name(#(#arguments),*));
    let shown = &signature.shown;
    let finish = if signature.is_async {
        quote!(#abi::suspend(cx, #shown, #call))
    } else {
        quote!(#abi::IntoReturn::into_return(#call, cx))
    };
    let mut more = Vec::new();
    if signature.is_async {
        more.push("MS_FN_ASYNC");
    }
    let flags = flag_tokens(&options, &more);
    let (typed, typed_entry) = if options.has("typed") || options.kind.is_some() {
        let (kind, entry) = typed_entry(&function, &signature, &options)?;
        (Some((kind, quote!(::core::option::Option::Some(typed_address())))), entry)
    } else {
        (None, TokenStream::new())
    };
    let record = signature.record(&quote!(entry), &flags, typed)?;
    Ok(quote! {
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility enum #name {}

        #[allow(unsafe_code)]
        const _: () = {
            unsafe extern "C" fn entry(
                cx: *const #abi::MsContext,
                argc: usize,
                args: *const #abi::MsValue,
                out: *mut #abi::MsValue,
            ) -> #abi::MsStatus {
                // SAFETY: the host calls this as `MsCall` says, and the arguments are passed on.
                unsafe {
                    #abi::enter(#shown, cx, argc, args, out, |cx, args| {
                        let _ = (cx, &args);
                        #conversion
                        #finish
                    })
                }
            }

            #typed_entry

            impl #abi::Function for #name {
                const RECORD: #abi::MsFunction = #record;
            }
        };
    })
}

/// Kind and code of the typed entry: of the function itself, or of the one that `entry` names.
fn typed_entry(
    function: &ItemFn,
    signature: &Signature,
    options: &Options,
) -> Result<(TokenStream, TokenStream)> {
    let abi = quote!(::miniscript_sdk::__private);
    let own = &function.sig.ident;
    let name = options.entry.as_ref().map_or_else(|| quote!(#own), |path| quote!(#path));
    let wanted = match &options.kind {
        Some(kind) => kind.value(),
        None => {
            let letter = |name: &str| match name {
                "f64" => "F",
                "i64" => "I",
                "bool" => "B",
                _ => "?",
            };
            let (params, result) = signature.plain_types();
            let params: String = params.iter().map(|param| letter(param)).collect();
            format!("{params}_{}", letter(&result))
        }
    };
    let (kind, inputs, result) = match wanted.as_str() {
        "F_F" => (quote!(MS_TYPED_F_F), quote!(a: f64), "f64"),
        "FF_F" => (quote!(MS_TYPED_FF_F), quote!(a: f64, b: f64), "f64"),
        "FFF_F" => (quote!(MS_TYPED_FFF_F), quote!(a: f64, b: f64, c: f64), "f64"),
        "I_F" => (quote!(MS_TYPED_I_F), quote!(a: i64), "f64"),
        "I_I" => (quote!(MS_TYPED_I_I), quote!(a: i64), "i64"),
        "II_I" => (quote!(MS_TYPED_II_I), quote!(a: i64, b: i64), "i64"),
        "F_I" => (quote!(MS_TYPED_F_I), quote!(a: f64), "i64"),
        "F_B" => (quote!(MS_TYPED_F_B), quote!(a: f64), "bool"),
        _ => {
            return Err(Error::new_spanned(
                &function.sig,
                "no typed entry has this signature; there are f64 -> f64 with one to three \
                 parameters, i64 -> i64 with one or two, i64 -> f64, f64 -> i64 and f64 -> bool",
            ));
        }
    };
    let call = match wanted.find('_') {
        Some(1) => quote!(#name(a)),
        Some(2) => quote!(#name(a, b)),
        _ => quote!(#name(a, b, c)),
    };
    let (signature, output, body) = match result {
        "f64" => (quote!(#inputs), quote!(f64), quote!(#abi::typed_float(|| #call))),
        "bool" => (quote!(#inputs), quote!(u32), quote!(#abi::typed_bool(|| #call))),
        _ => (
            quote!(#inputs, flag: *mut u32),
            quote!(i64),
            quote! {
                // SAFETY: the host passes a place for the flag.
                unsafe { #abi::typed_int(flag, || #call) }
            },
        ),
    };
    let entry = quote! {
        unsafe extern "C" fn typed(#signature) -> #output {
            #body
        }

        const fn typed_address() -> unsafe extern "C" fn() {
            // SAFETY: only a cast; the host casts it back to what the record's kind says.
            unsafe {
                ::core::mem::transmute::<
                    unsafe extern "C" fn(#signature) -> #output,
                    unsafe extern "C" fn(),
                >(typed)
            }
        }
    };
    Ok((quote!(#abi::#kind), entry))
}
