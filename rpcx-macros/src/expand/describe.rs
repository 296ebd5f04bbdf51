//! What a running program may ask about a service: documentation, and types as they are written.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Type};

use crate::model::{How, Method, Param, Service};

/// The parameters that a method sends.
pub(super) fn parameters(service: &Service, method: &Method) -> TokenStream {
    let runtime = service.krate.private();
    let parameters = method.params.iter().map(|param| {
        let (name, ty) = (&param.field, parameter_type(param));
        quote!(#runtime::ParameterInfo::new(#name, #ty))
    });
    quote!(&[#(#parameters),*])
}

/// A method's reply as people write it.
pub(super) fn reply(method: &Method) -> String {
    text(method.output.reply.as_ref().unwrap_or(&method.output.ty))
}

/// What is added to a `ServiceInfo`.
pub(super) fn service(service: &Service) -> Option<TokenStream> {
    doc(&service.item.attrs)
}

/// The documentation as one text, if there is any.
pub(super) fn doc(attributes: &[Attribute]) -> Option<TokenStream> {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let lines: Vec<_> = lines
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => Some(&pair.value),
            _ => None,
        })
        .collect();
    let literals: Option<Vec<_>> = lines.iter().copied().map(line).collect();
    match literals {
        Some(lines) if lines.is_empty() => None,
        Some(lines) => {
            let text = lines.join("\n");
            let text = text.trim();
            Some(quote!(.doc(#text)))
        }
        // Some of it comes from a macro, such as `include_str!`.
        None => Some(quote!(.doc(::core::concat!(#(#lines, "\n"),*)))),
    }
}

/// A line of documentation without the space that stands behind `///`.
fn line(value: &Expr) -> Option<String> {
    let value = match value {
        Expr::Group(group) => &group.expr,
        value => value,
    };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value else {
        return None;
    };
    let text = text.value();
    Some(text.strip_prefix(' ').map_or(text.clone(), str::to_owned))
}

/// The type that is sent for a parameter.
fn parameter_type(param: &Param) -> String {
    let How::Borrowed(reference) = &param.how else {
        return text(&param.ty);
    };
    match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
        elem => text(elem),
    }
}

/// A type as people write it.
fn text(ty: &Type) -> String {
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                mark @ (',' | ';') => text.extend([mark, ' ']),
                mark @ ('=' | '+') => text.extend([' ', mark, ' ']),
                mark => text.push(mark),
            },
            word => {
                let word = word.to_string();
                let apart = |last: char| last.is_alphanumeric() || last == '_' || word == "as";
                if text.ends_with(apart) {
                    text.push(' ');
                }
                text.push_str(&word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn types_are_written_as_by_people() {
        for ty in [
            "i32",
            "()",
            "(i32, Vec<String>)",
            "Option<std::collections::BTreeMap<String, [u8; 4]>>",
            "[Point<f64>; N]",
            "<Vec<T> as IntoIterator>::Item",
            "Box<dyn Fn(i32) + Send>",
        ] {
            let parsed: Type = syn::parse_str(ty).unwrap();
            assert_eq!(text(&parsed), ty);
        }
    }

    #[test]
    fn documentation_is_one_text() {
        let attributes: [Attribute; 4] = [
            parse_quote!(#[doc = " Adds."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[deprecated]),
            parse_quote!(#[doc = "  - indented"]),
        ];
        let expected = quote!(.doc("Adds.\n\n - indented"));
        assert_eq!(doc(&attributes).unwrap().to_string(), expected.to_string());
        assert!(doc(&attributes[2..3]).is_none());
        let attributes: [Attribute; 1] = [parse_quote!(#[doc = include_str!("a.md")])];
        let expected = quote!(.doc(::core::concat!(include_str!("a.md"), "\n")));
        assert_eq!(doc(&attributes).unwrap().to_string(), expected.to_string());
    }
}
