//! The signature of a function as a script sees it, and the code that converts its arguments.

use crate::attrs::{Options, docs};
use crate::types::{annotation, is_cx, literal, name_of, returned};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Error, Expr, FnArg, Pat, Result, Type};

/// How one Rust parameter is filled.
enum Source {
    /// `cx: &Cx`
    Cx,
    /// The converted argument in a slot.
    Slot(usize),
    /// All further positional arguments.
    Rest,
    /// The object or class that the method was called on.
    Object,
}

struct Param {
    name: String,
    ty: Type,
    kind: Kind,
    default: Option<Expr>,
    optional: bool,
    source: Source,
}

impl Param {
    /// Whether a script may pass it by its place.
    fn by_place(&self) -> bool {
        matches!(self.kind, Kind::Positional | Kind::Normal)
            && matches!(self.source, Source::Slot(_))
    }

    /// Whether the author says that a call without it is complete.
    fn has_default(&self) -> bool {
        self.default.is_some() || self.optional
    }

    fn may_be_none(&self) -> bool {
        name_of(&self.ty) == "Option" && self.kind != Kind::Args
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Positional,
    Normal,
    Keyword,
    Args,
    Kwargs,
}

/// A function's name, documentation, parameters and result.
pub struct Signature {
    pub shown: String,
    pub doc: String,
    pub is_async: bool,
    pub has_receiver: bool,
    pub receiver_mut: bool,
    params: Vec<Param>,
    slots: usize,
    returns: String,
    result: Option<Type>,
    /// The next parameter is the class of a class method.
    wants_class: bool,
    /// The first argument is the other operand of an operator.
    operator: bool,
}

impl Signature {
    /// Reads a signature and takes the `#[ms(...)]` attributes off its parameters. `first_slot`
    /// is 1 where the host passes an object or class first.
    pub fn read(
        sig: &mut syn::Signature,
        attrs: &[syn::Attribute],
        options: &Options,
        first_slot: usize,
    ) -> Result<Self> {
        if let Some(generic) = sig.generics.type_params().next() {
            return Err(Error::new_spanned(generic, "a script cannot choose a type parameter"));
        }
        let is_async = sig.asyncness.is_some();
        let mut signature = Self {
            shown: options.name.clone().unwrap_or_else(|| plain_name(&sig.ident)),
            doc: docs(attrs),
            is_async,
            has_receiver: false,
            receiver_mut: false,
            params: Vec::new(),
            slots: first_slot,
            returns: match &sig.output {
                syn::ReturnType::Default => "None".to_owned(),
                output => returned(output).map(annotation).unwrap_or_default(),
            },
            result: returned(&sig.output).cloned(),
            wants_class: options.has("class"),
            operator: false,
        };
        for input in &mut sig.inputs {
            match input {
                FnArg::Receiver(receiver) => signature.receiver(receiver)?,
                FnArg::Typed(typed) => {
                    let own = Options::take(
                        &mut typed.attrs,
                        &[
                            "name",
                            "default",
                            "optional",
                            "positional",
                            "keyword",
                            "args",
                            "kwargs",
                            "object",
                        ],
                    )?;
                    signature.param(typed, own, options.has("positional"))?;
                }
            }
        }
        signature.operator = signature.has_receiver && is_operator(&signature.shown);
        if signature.wants_class {
            return Err(Error::new_spanned(&*sig, "a class method takes its class first"));
        }
        Ok(signature)
    }

    fn receiver(&mut self, receiver: &syn::Receiver) -> Result<()> {
        let text = quote!(#receiver).to_string();
        if !text.starts_with('&') || self.wants_class {
            let wanted = if self.wants_class { "its class first" } else { "&self or &mut self" };
            return Err(Error::new_spanned(receiver, format!("a method takes {wanted}")));
        }
        self.has_receiver = true;
        self.receiver_mut = text.contains("mut");
        Ok(())
    }

    fn param(&mut self, typed: &syn::PatType, own: Options, positional: bool) -> Result<()> {
        let Pat::Ident(pattern) = &*typed.pat else {
            return Err(Error::new_spanned(&typed.pat, "a parameter needs a plain name"));
        };
        if is_cx(&typed.ty) {
            if self.is_async {
                return Err(Error::new_spanned(
                    typed,
                    "an async function outlives the call; use `with_cx` inside it",
                ));
            }
            let ty = (*typed.ty).clone();
            self.params.push(Param {
                name: String::new(),
                ty,
                kind: Kind::Positional,
                default: None,
                optional: false,
                source: Source::Cx,
            });
            return Ok(());
        }
        if own.has("object") || std::mem::take(&mut self.wants_class) {
            if own.has("object") && !self.has_receiver {
                return Err(Error::new_spanned(typed, "only a method with &self has an object"));
            }
            self.params.push(Param {
                name: if own.has("object") { "self" } else { "cls" }.to_owned(),
                ty: (*typed.ty).clone(),
                kind: Kind::Positional,
                default: None,
                optional: false,
                source: Source::Object,
            });
            return Ok(());
        }
        let kind = match () {
            () if own.has("args") => Kind::Args,
            () if own.has("kwargs") => Kind::Kwargs,
            () if own.has("keyword") => Kind::Keyword,
            () if own.has("positional") || positional => Kind::Positional,
            () if self.params.iter().any(|param| param.kind == Kind::Args) => Kind::Keyword,
            () => Kind::Normal,
        };
        let source = if kind == Kind::Args {
            Source::Rest
        } else {
            self.slots += 1;
            Source::Slot(self.slots - 1)
        };
        let param = Param {
            name: own.name.clone().unwrap_or_else(|| plain_name(&pattern.ident)),
            ty: (*typed.ty).clone(),
            kind,
            optional: own.has("optional"),
            default: own.default,
            source,
        };
        if param.by_place()
            && !param.has_default()
            && !param.may_be_none()
            && self.params.iter().any(|before| before.by_place() && before.has_default())
        {
            return Err(Error::new_spanned(
                typed,
                "a parameter without a default follows one that may be left out; \
                 give it a default, or make it #[ms(keyword)]",
            ));
        }
        self.params.push(param);
        Ok(())
    }

    /// Puts the class where its methods say `Self`: their entries stand outside of the `impl`.
    pub fn name_self(&mut self, class: &Type) -> Result<()> {
        for param in &mut self.params {
            let named = replace_self(param.ty.to_token_stream(), &class.to_token_stream());
            param.ty = syn::parse2(named)?;
        }
        Ok(())
    }

    /// The statements that convert the arguments, and the arguments of the Rust call.
    pub fn conversion(&self) -> (TokenStream, Vec<TokenStream>) {
        let mut statements = TokenStream::new();
        let mut call = Vec::new();
        for (index, param) in self.params.iter().enumerate() {
            let (name, ty) = (&param.name, &param.ty);
            let variable = format_ident!("arg{index}");
            match param.source {
                Source::Cx => {
                    call.push(quote!(cx));
                    continue;
                }
                Source::Slot(slot @ 1) if self.operator => {
                    statements.extend(quote! {
                        let ::core::option::Option::Some(#variable) =
                            args.operand::<#ty>(cx, #slot, #name)?
                        else {
                            return ::miniscript_sdk::__private::not_implemented(cx);
                        };
                    });
                }
                Source::Slot(slot) => {
                    statements.extend(quote! { let #variable: #ty = args.get(cx, #slot, #name)?; });
                }
                Source::Object => {
                    statements.extend(quote! { let #variable: #ty = args.get(cx, 0, #name)?; });
                }
                Source::Rest => {
                    let slots = self.slots;
                    statements
                        .extend(quote! { let #variable: #ty = args.rest(cx, #slots, #name)?; });
                }
            }
            call.push(quote!(#variable));
        }
        (statements, call)
    }

    /// The parameter table.
    pub fn table(&self) -> Result<TokenStream> {
        let abi = quote!(::miniscript_sdk::__private);
        let mut rows = Vec::new();
        // An `Option` before it cannot be left out, only be None.
        let last_required = self
            .params
            .iter()
            .rposition(|param| param.by_place() && !param.has_default() && !param.may_be_none());
        for (index, param) in self.params.iter().enumerate() {
            let kind = match (&param.source, param.kind) {
                (Source::Cx | Source::Object, _) => continue,
                (_, Kind::Positional) => quote!(MS_PARAM_POSITIONAL),
                (_, Kind::Normal) => quote!(MS_PARAM_NORMAL),
                (_, Kind::Keyword) => quote!(MS_PARAM_KEYWORD),
                (_, Kind::Args) => quote!(MS_PARAM_VARARGS),
                (_, Kind::Kwargs) => quote!(MS_PARAM_KWARGS),
            };
            let (flags, default) = match &param.default {
                Some(expr) => {
                    let inner = match name_of(&param.ty).as_str() {
                        "Option" => crate::types::arguments_of(&param.ty).first().copied(),
                        _ => Some(&param.ty),
                    };
                    (quote!(#abi::MS_PARAM_HAS_DEFAULT), literal(expr, inner)?)
                }
                None if param.optional => {
                    (quote!(#abi::MS_PARAM_OPTIONAL), quote!(#abi::MsLiteral::NONE))
                }
                None if param.may_be_none() && Some(index) > last_required => {
                    (quote!(#abi::MS_PARAM_HAS_DEFAULT), quote!(#abi::MsLiteral::NONE))
                }
                None => (quote!(0), quote!(#abi::MsLiteral::NONE)),
            };
            let one = match param.kind {
                Kind::Args => crate::types::arguments_of(&param.ty).first().copied(),
                Kind::Kwargs => crate::types::arguments_of(&param.ty).last().copied(),
                _ => Some(&param.ty),
            };
            let (name, shown) = (&param.name, one.map(annotation).unwrap_or_default());
            rows.push(quote! {
                #abi::MsParam {
                    name: #abi::MsStr::new(#name),
                    kind: #abi::#kind,
                    flags: #flags,
                    default_value: #default,
                    annotation: #abi::MsStr::new(#shown),
                }
            });
        }
        Ok(quote!(#abi::MsTable::new::<#abi::MsParam>(&[#(#rows),*])))
    }

    /// The record, given the entry's path, the flags, and kind and address of the typed entry.
    pub fn record(
        &self,
        entry: &TokenStream,
        flags: &TokenStream,
        typed: Option<(TokenStream, TokenStream)>,
    ) -> Result<TokenStream> {
        let abi = quote!(::miniscript_sdk::__private);
        let (name, doc, returns) = (&self.shown, &self.doc, &self.returns);
        let params = self.table()?;
        let (kind, address) = typed
            .unwrap_or_else(|| (quote!(#abi::MS_TYPED_NONE), quote!(::core::option::Option::None)));
        Ok(quote! {
            #abi::MsFunction {
                name: #abi::MsStr::new(#name),
                doc: #abi::MsStr::new(#doc),
                call: ::core::option::Option::Some(#entry),
                data: ::core::ptr::null(),
                params: #params,
                flags: #flags,
                typed_kind: #kind,
                typed: #address,
                returns: #abi::MsStr::new(#returns),
            }
        })
    }

    /// Names of the Rust types of all parameters and of the result, for the typed entry.
    pub fn plain_types(&self) -> (Vec<String>, String) {
        let params = self.params.iter().map(|param| name_of(&param.ty)).collect();
        (params, self.result.as_ref().map(name_of).unwrap_or_default())
    }
}

fn replace_self(tokens: TokenStream, class: &TokenStream) -> TokenStream {
    let each = |token| match token {
        TokenTree::Ident(name) if name == "Self" => class.clone(),
        TokenTree::Group(group) => {
            let inner = replace_self(group.stream(), class);
            TokenTree::Group(Group::new(group.delimiter(), inner)).into()
        }
        other => other.into(),
    };
    tokens.into_iter().flat_map(each).collect()
}

/// `r#type` is `type` in a script; a trailing underscore (`from_`) stays.
fn plain_name(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// `MS_FN_` flags from options.
pub fn flag_tokens(options: &Options, more: &[&str]) -> TokenStream {
    let abi = quote!(::miniscript_sdk::__private);
    let mut flags = quote!(0);
    let known = [
        ("calls_back", "MS_FN_CALLS_BACK"),
        ("pure", "MS_FN_PURE"),
        ("getter", "MS_FN_GETTER"),
        ("setter", "MS_FN_SETTER"),
        ("static", "MS_FN_STATIC"),
        ("class", "MS_FN_CLASS"),
    ];
    let own = known.iter().filter(|(option, _)| options.has(option)).map(|(_, flag)| *flag);
    for flag in own.chain(more.iter().copied()) {
        let flag = format_ident!("{flag}");
        flags.extend(quote!(| #abi::#flag));
    }
    flags
}

/// Whether a method is that of a binary operator or a comparison: of an operand that it does not
/// know it says so, and the other side is asked.
fn is_operator(name: &str) -> bool {
    const COMPARISONS: [&str; 6] = ["eq", "ne", "lt", "le", "gt", "ge"];
    const ARITHMETIC: [&str; 14] = [
        "add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift",
        "and", "or", "xor", "matmul",
    ];
    let Some(name) = name.strip_prefix("__").and_then(|name| name.strip_suffix("__")) else {
        return false;
    };
    let plain = |name| ARITHMETIC.contains(&name);
    COMPARISONS.contains(&name) || plain(name) || name.strip_prefix(['r', 'i']).is_some_and(plain)
}
