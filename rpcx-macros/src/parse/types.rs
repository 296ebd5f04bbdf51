//! Types that cannot cross the network, as far as their syntax shows it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Lifetime, Path, PathArguments, Type, TypeParamBound};

use crate::ctxt::Ctxt;

/// Where a type stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Argument,
    Reply,
}

/// Notes the first reason why a type cannot be sent, if its syntax shows one.
pub(crate) fn check(ty: &Type, role: Role, ctxt: &Ctxt) {
    if let Some((tokens, message)) = self_type(ty).or_else(|| refusal(ty, role)) {
        ctxt.on(tokens, message);
    }
}

/// A type without the invisible parentheses of `macro_rules!` variables.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        ty => ty,
    }
}

/// Whether a type is called `…Result`, or may be one.
///
/// The compiler is asked as well whether it is one, but it would say so at every use of the type
/// in the generated code, and this mistake is a common one.
pub(crate) fn is_result(ty: &Type) -> bool {
    match ungrouped(ty) {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident.to_string().ends_with("Result"))
        }
        // What it stands for, only the compiler knows.
        Type::Macro(_) => true,
        _ => false,
    }
}

/// What to write instead of a type whose values have no size, if its syntax shows that it is one.
pub(crate) fn instead_of_unsized(ty: &Type) -> Option<String> {
    match ungrouped(ty) {
        Type::Path(path) if path.path.is_ident("str") => Some("`&str` or `String`".to_owned()),
        Type::Slice(slice) => {
            let elem = slice.elem.to_token_stream();
            Some(format!("`&[{elem}]` or `Vec<{elem}>`"))
        }
        _ => None,
    }
}

/// Whether a type is the future that an `async fn` would return.
pub(crate) fn is_future(ty: &Type) -> bool {
    match ungrouped(ty) {
        Type::ImplTrait(_) => true,
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| {
                last.ident == "Pin" || last.ident.to_string().ends_with("Future")
            })
        }
        _ => false,
    }
}

/// The name of a well-known trait that nothing behind `dyn` can have, if a bound is one.
pub(crate) fn never_dyn(bound: &TypeParamBound) -> Option<&Ident> {
    const NEVER: [&str; 9] =
        ["Sized", "Clone", "Copy", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let last = &bound.path.segments.last()?.ident;
    NEVER.iter().any(|name| last == name).then_some(last)
}

/// What is refused, and why.
type Refusal = (TokenStream, &'static str);

fn refuse(tokens: impl ToTokens, why: &'static str) -> Refusal {
    (tokens.into_token_stream(), why)
}

fn refusal(ty: &Type, role: Role) -> Option<Refusal> {
    match ty {
        Type::ImplTrait(ty) if ty.bounds.iter().any(is_stream) => Some(streaming(ty, role)),
        Type::ImplTrait(ty) => {
            Some(refuse(ty, "`impl Trait` is no type on the wire: name a concrete type"))
        }
        Type::TraitObject(ty) => {
            Some(refuse(ty, "`dyn Trait` has no wire form: name a concrete type"))
        }
        Type::Ptr(ty) => Some(refuse(ty, "a pointer has no wire form: send the value")),
        Type::FnPtr(ty) => Some(refuse(ty, "a function has no wire form: send what it is to do")),
        Type::Infer(ty) => Some(refuse(ty, "`_` is no type on the wire: write the type out")),
        Type::Reference(reference) => Some(refuse(reference, borrowed(role))),
        Type::Path(ty) => {
            let own = ty.qself.as_ref().and_then(|qself| refusal(&qself.ty, role));
            own.or_else(|| in_path(&ty.path, role))
        }
        Type::Array(ty) => refusal(&ty.elem, role),
        Type::Slice(ty) => refusal(&ty.elem, role),
        Type::Group(ty) => refusal(&ty.elem, role),
        Type::Paren(ty) => refusal(&ty.elem, role),
        Type::Tuple(ty) => ty.elems.iter().find_map(|elem| refusal(elem, role)),
        // The compiler has its own words for the rest.
        _ => None,
    }
}

fn in_path(path: &Path, role: Role) -> Option<Refusal> {
    if path.segments.last().is_some_and(|last| last.ident == "Streaming") {
        return Some(streaming(path, role));
    }
    let arguments = path.segments.iter().filter_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    });
    arguments.flatten().find_map(|argument| match argument {
        GenericArgument::Type(ty) => refusal(ty, role),
        GenericArgument::Lifetime(lifetime) => in_lifetime(lifetime, role),
        GenericArgument::AssocType(assoc) => refusal(&assoc.ty, role),
        _ => None,
    })
}

fn in_lifetime(lifetime: &Lifetime, role: Role) -> Option<Refusal> {
    (lifetime.ident != "static").then(|| refuse(lifetime, borrowed(role)))
}

fn borrowed(role: Role) -> &'static str {
    match role {
        Role::Argument => {
            "an RPC argument cannot hold a borrow: the server owns what it decodes; \
             write the owned type, or borrow the argument as a whole"
        }
        Role::Reply => {
            "an RPC reply cannot hold a borrow: the client owns what it decodes; \
             write the owned type"
        }
    }
}

fn streaming(tokens: impl ToTokens, role: Role) -> Refusal {
    let what = match role {
        Role::Argument => "streamed arguments are planned, but not available yet: take a `Vec`",
        Role::Reply => "streamed replies are planned, but not available yet: return a `Vec`",
    };
    refuse(tokens, what)
}

fn is_stream(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == "Stream")
        }
        _ => false,
    }
}

/// `Self` would be another type in each of the generated items.
fn self_type(ty: &Type) -> Option<Refusal> {
    let found = find_self(ty.to_token_stream())?;
    Some(refuse(found, "`Self` is not known on the wire: name the type"))
}

fn find_self(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => Some(TokenTree::Ident(ident)),
        TokenTree::Group(group) => find_self(group.stream()),
        _ => None,
    })
}
