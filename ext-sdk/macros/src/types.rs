//! What a signature shows for a Rust type, and literals of descriptors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, GenericArgument, Lit, PathArguments, Result, ReturnType, Type, UnOp};

/// Last segment of a type's path and its type arguments.
fn path_of(ty: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let mut args = Vec::new();
    if let PathArguments::AngleBracketed(given) = &last.arguments {
        for arg in &given.args {
            if let GenericArgument::Type(ty) = arg {
                args.push(ty);
            }
        }
    }
    Some((last.ident.to_string(), args))
}

/// Name of the type's last path segment.
pub fn name_of(ty: &Type) -> String {
    match ty {
        Type::Reference(reference) => format!("&{}", name_of(&reference.elem)),
        _ => path_of(ty).map(|(name, _)| name).unwrap_or_default(),
    }
}

/// The type arguments of the last path segment.
pub fn arguments_of(ty: &Type) -> Vec<&Type> {
    path_of(ty).map(|(_, args)| args).unwrap_or_default()
}

/// Whether the type is `&Cx`.
pub fn is_cx(ty: &Type) -> bool {
    name_of(ty) == "&Cx"
}

/// The annotation that a signature shows; empty for a type without a script name.
pub fn annotation(ty: &Type) -> String {
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) if name_of(&slice.elem) == "u8" => "bytes".to_owned(),
            elem => annotation(elem),
        },
        Type::Tuple(tuple) if tuple.elems.is_empty() => "None".to_owned(),
        Type::Tuple(tuple) => {
            let elems: Vec<String> = tuple.elems.iter().map(annotation).collect();
            format!("tuple[{}]", elems.join(", "))
        }
        Type::Path(_) => path_annotation(ty),
        _ => String::new(),
    }
}

fn path_annotation(ty: &Type) -> String {
    let Some((name, args)) = path_of(ty) else { return String::new() };
    let inner = |index: usize| args.get(index).map(|ty| annotation(ty)).unwrap_or_default();
    match name.as_str() {
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize"
        | "BigInt" => "int".to_owned(),
        "f32" | "f64" => "float".to_owned(),
        "bool" => "bool".to_owned(),
        "str" | "String" => "str".to_owned(),
        "Bytes" => "bytes".to_owned(),
        "Value" | "Kept" => String::new(),
        "Option" => match inner(0) {
            text if text.is_empty() => text,
            text => format!("{text} | None"),
        },
        "Vec" => generic("list", &[inner(0)]),
        "HashSet" | "BTreeSet" => generic("set", &[inner(0)]),
        "HashMap" | "BTreeMap" => generic("dict", &[inner(0), inner(1)]),
        "Result" | "Instance" | "Held" | "New" => inner(0),
        _ => name,
    }
}

fn generic(name: &str, inner: &[String]) -> String {
    if inner.iter().any(String::is_empty) {
        name.to_owned()
    } else {
        format!("{name}[{}]", inner.join(", "))
    }
}

/// The type a function returns, without `Result`.
pub fn returned(output: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    if name_of(ty) == "Result" { arguments_of(ty).first().copied() } else { Some(ty) }
}

/// An `MsLiteral` for an expression; `ty` helps where the expression is not a literal itself.
pub fn literal(expr: &Expr, ty: Option<&Type>) -> Result<TokenStream> {
    let abi = quote!(::miniscript_sdk::__private);
    let float = ty.is_some_and(|ty| matches!(name_of(ty).as_str(), "f64" | "f32"));
    let plain = match expr {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => &unary.expr,
        other => other,
    };
    if let Expr::Lit(lit) = plain {
        return Ok(match &lit.lit {
            Lit::Str(_) => quote!(#abi::MsLiteral::text(#expr)),
            Lit::ByteStr(_) => quote!(#abi::MsLiteral::bytes(#expr)),
            Lit::Bool(_) => quote!(#abi::MsLiteral::scalar(#abi::MsValue::bool(#expr))),
            Lit::Int(_) if float => {
                quote!(#abi::MsLiteral::scalar(#abi::MsValue::float(#expr as f64)))
            }
            Lit::Int(_) => quote!(#abi::MsLiteral::scalar(#abi::MsValue::int(#expr))),
            Lit::Float(_) => quote!(#abi::MsLiteral::scalar(#abi::MsValue::float(#expr))),
            _ => return Err(Error::new_spanned(expr, "no script value for this literal")),
        });
    }
    if let Expr::Path(path) = expr
        && path.path.is_ident("None")
    {
        return Ok(quote!(#abi::MsLiteral::NONE));
    }
    let name = ty.map(name_of).unwrap_or_default();
    Ok(match name.as_str() {
        "f64" | "f32" => quote!(#abi::MsLiteral::scalar(#abi::MsValue::float(#expr as f64))),
        "bool" => quote!(#abi::MsLiteral::scalar(#abi::MsValue::bool(#expr))),
        "&str" | "String" => quote!(#abi::MsLiteral::text(#expr)),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "isize" => {
            quote!(#abi::MsLiteral::scalar(#abi::MsValue::int(#expr as i64)))
        }
        _ => {
            return Err(Error::new_spanned(
                expr,
                "give a literal, or a constant of type i64, f64, bool or &str",
            ));
        }
    })
}
