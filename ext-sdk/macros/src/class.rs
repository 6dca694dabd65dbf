//! `#[class]` and `#[methods]`.

use crate::attrs::{Options, docs};
use crate::signature::{Signature, flag_tokens};
use crate::types::literal;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Result, Type};

/// The struct unchanged, and its class.
pub fn expand_struct(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = Options::parse(options, &["name", "subclassable"])?;
    let item: ItemStruct = syn::parse2(item)?;
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a native class cannot be generic"));
    }
    let abi = quote!(::miniscript_sdk::__private);
    let ident = &item.ident;
    let name = options.name.clone().unwrap_or_else(|| ident.to_string());
    let doc = docs(&item.attrs);
    let flags =
        if options.has("subclassable") { quote!(#abi::MS_CLASS_SUBCLASSABLE) } else { quote!(0) };
    Ok(quote! {
        #item

        #[allow(unsafe_code)]
        const _: () = {
            static IDENTITY: u8 = 0;

            // SAFETY: a static of this class alone.
            unsafe impl ::miniscript_sdk::NativeClass for #ident {
                const NAME: &'static str = #name;
                const DOC: &'static str = #doc;
                const FLAGS: u32 = #flags;
                const ID: *const #abi::c_void = &raw const IDENTITY as *const #abi::c_void;
            }

            impl ::miniscript_sdk::IntoMs for #ident {
                fn into_ms(
                    self,
                    cx: &::miniscript_sdk::Cx,
                ) -> ::miniscript_sdk::Result<::miniscript_sdk::Value> {
                    ::miniscript_sdk::IntoMs::into_ms(
                        ::miniscript_sdk::New::of(::miniscript_sdk::Value::NONE, self),
                        cx,
                    )
                }
            }
        };
    })
}

/// The `impl` block without our attributes, and the method table.
pub fn expand_impl(item: TokenStream) -> Result<TokenStream> {
    let mut block: ItemImpl = syn::parse2(item)?;
    if let Some((path, _)) = &block.trait_ {
        return Err(Error::new_spanned(path, "#[methods] belongs on an inherent impl"));
    }
    let class = (*block.self_ty).clone();
    let mut writer =
        Writer { class, entries: TokenStream::new(), records: Vec::new(), trace: None };
    let mut constants = Vec::new();
    for item in &mut block.items {
        match item {
            ImplItem::Fn(function) => writer.function(function)?,
            ImplItem::Const(constant) => {
                let options = Options::take(&mut constant.attrs, &["skip", "name"])?;
                if !options.has("skip") {
                    let name = options.name.unwrap_or_else(|| constant.ident.to_string());
                    let value = literal(&constant.expr, Some(&constant.ty))?;
                    constants.push(constant_record(&name, &value, &docs(&constant.attrs)));
                    // Scripts use it, if nobody else does.
                    constant.attrs.push(syn::parse_quote!(#[allow(dead_code)]));
                }
            }
            _ => {}
        }
    }
    let abi = quote!(::miniscript_sdk::__private);
    let Writer { class, entries, records, trace } = writer;
    let trace = match trace {
        Some(name) => quote!(::core::option::Option::Some(<#class>::#name)),
        None => quote!(::core::option::Option::None),
    };
    Ok(quote! {
        #block

        #[allow(unsafe_code, non_snake_case, clippy::await_holding_refcell_ref)]
        const _: () = {
            #entries

            // SAFETY: the entries above are written for their records.
            unsafe impl #abi::NativeMethods for #class {
                const METHODS: &'static [#abi::MsFunction] = &[#(#records),*];
                const CONSTANTS: &'static [#abi::MsConst] = &[#(#constants),*];
                const TRACE: ::core::option::Option<fn(&Self, &mut ::miniscript_sdk::Tracer)> =
                    #trace;
            }
        };
    })
}

/// An `MsConst`.
pub fn constant_record(name: &str, value: &TokenStream, doc: &str) -> TokenStream {
    let abi = quote!(::miniscript_sdk::__private);
    quote! {
        #abi::MsConst {
            name: #abi::MsStr::new(#name),
            value: #value,
            doc: #abi::MsStr::new(#doc),
        }
    }
}

const METHOD_OPTIONS: &[&str] = &[
    "name",
    "new",
    "getter",
    "setter",
    "static",
    "class",
    "trace",
    "skip",
    "calls_back",
    "pure",
    "positional",
];

struct Writer {
    class: Type,
    entries: TokenStream,
    records: Vec<TokenStream>,
    trace: Option<syn::Ident>,
}

impl Writer {
    fn function(&mut self, function: &mut ImplItemFn) -> Result<()> {
        let mut options = Options::take(&mut function.attrs, METHOD_OPTIONS)?;
        if options.has("skip") {
            return Ok(());
        }
        if options.has("trace") {
            self.trace = Some(function.sig.ident.clone());
            return Ok(());
        }
        let is_new = options.has("new");
        if is_new {
            options.name = Some("__new__".to_owned());
        } else if options.has("setter") && options.name.is_none() {
            let name = function.sig.ident.to_string();
            options.name = Some(name.strip_prefix("set_").unwrap_or(&name).to_owned());
        }
        let has_self = function.sig.receiver().is_some();
        let first_slot = usize::from(has_self || is_new || options.has("class"));
        let attrs = function.attrs.clone();
        let mut signature = Signature::read(&mut function.sig, &attrs, &options, first_slot)?;
        signature.name_self(&self.class)?;
        let entry = format_ident!("entry_{}", function.sig.ident);
        self.entry(&entry, function, &signature, is_new);
        let mut more = Vec::new();
        if !has_self && !options.has("static") && !options.has("class") {
            more.push("MS_FN_STATIC");
        }
        if signature.is_async {
            more.push("MS_FN_ASYNC");
        }
        let flags = flag_tokens(&options, &more);
        self.records.push(signature.record(&quote!(#entry), &flags, None)?);
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &syn::Ident,
        function: &ImplItemFn,
        signature: &Signature,
        is_new: bool,
    ) {
        let abi = quote!(::miniscript_sdk::__private);
        let (class, method) = (&self.class, &function.sig.ident);
        let (conversion, arguments) = signature.conversion();
        let (borrow, this, reference) = if signature.receiver_mut {
            (quote!(borrow_mut), quote!(let mut this), quote!(&mut this))
        } else {
            (quote!(borrow), quote!(let this), quote!(&this))
        };
        let shown = &signature.shown;
        let body = match () {
            () if is_new => quote! {
                let exact: ::miniscript_sdk::Value = args.get(cx, 0, "cls")?;
                let made = <#class>::#method(#(#arguments),*);
                #abi::new_object::<#class, _>(made, exact, cx)
            },
            // The future owns the object and borrows its payload from the first poll on.
            () if signature.is_async && signature.has_receiver => quote! {
                let object: ::miniscript_sdk::Held<#class> = args.get(cx, 0, "self")?;
                #abi::suspend(cx, #shown, async move {
                    #this = match object.#borrow() {
                        ::core::result::Result::Ok(this) => this,
                        ::core::result::Result::Err(error) => return #abi::Outcome::InUse(error),
                    };
                    #abi::Outcome::Done(<#class>::#method(#reference, #(#arguments),*).await)
                })
            },
            () if signature.is_async => {
                quote!(#abi::suspend(cx, #shown, <#class>::#method(#(#arguments),*)))
            }
            () if signature.has_receiver => quote! {
                let object: ::miniscript_sdk::Instance<'_, #class> = args.get(cx, 0, "self")?;
                #this = object.#borrow()?;
                let result = <#class>::#method(#reference, #(#arguments),*);
                #abi::IntoReturn::into_return(result, cx)
            },
            () => quote! {
                #abi::IntoReturn::into_return(<#class>::#method(#(#arguments),*), cx)
            },
        };
        self.entries.extend(quote! {
            unsafe extern "C" fn #entry(
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
                        #body
                    })
                }
            }
        });
    }
}
