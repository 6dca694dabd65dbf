//! Reading `#[ms(...)]` and doc comments.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Attribute, Expr, LitStr, Result};

/// The options of one item.
#[derive(Default)]
pub struct Options {
    pub name: Option<String>,
    pub default: Option<Expr>,
    /// Kind of a typed entry that is a function of its own.
    pub kind: Option<LitStr>,
    /// That function.
    pub entry: Option<syn::Path>,
    flags: Vec<String>,
}

impl Options {
    /// Reads the options of a macro's own attribute.
    pub fn parse(tokens: TokenStream, allowed: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        syn::meta::parser(|meta| options.add(&meta, allowed)).parse2(tokens)?;
        Ok(options)
    }

    /// Takes the `#[ms(...)]` attributes out of a list.
    pub fn take(attrs: &mut Vec<Attribute>, allowed: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut failure = None;
        attrs.retain(|attr| {
            if !attr.path().is_ident("ms") {
                return true;
            }
            if let Err(error) = attr.parse_nested_meta(|meta| options.add(&meta, allowed)) {
                failure.get_or_insert(error);
            }
            false
        });
        failure.map_or(Ok(options), Err)
    }

    fn add(&mut self, meta: &ParseNestedMeta, allowed: &[&str]) -> Result<()> {
        let name = match meta.path.get_ident() {
            Some(ident) => ident.to_string(),
            None if meta.path.segments.is_empty() => String::new(),
            None => return Err(meta.error("unknown option")),
        };
        if !allowed.contains(&name.as_str()) {
            return Err(meta.error(format!("unknown option; known are: {}", allowed.join(", "))));
        }
        match name.as_str() {
            "name" => self.name = Some(meta.value()?.parse::<LitStr>()?.value()),
            "default" => self.default = Some(meta.value()?.parse()?),
            "kind" => self.kind = Some(meta.value()?.parse()?),
            "entry" => self.entry = Some(meta.value()?.parse()?),
            _ => self.flags.push(name),
        }
        Ok(())
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

/// The text of the doc comments.
pub fn docs(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let syn::Meta::NameValue(pair) = &attr.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(lit) = &pair.value
            && let syn::Lit::Str(text) = &lit.lit
        {
            for line in text.value().split('\n') {
                lines.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
            }
        }
    }
    lines.join("\n").trim_end().to_owned()
}
