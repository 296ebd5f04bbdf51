//! What is still generated when there are mistakes: enough that the user's other code, which is
//! right, does not lead to further errors.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{FnArg, GenericParam, Pat, ReturnType, Type, parse_quote};

use super::{contract, lifetime, marker_field};
use crate::{
    hygiene,
    model::{Broken, Service},
    parse,
};

/// A method with a mistake, as it stays in the trait: as it was written, so that implementations
/// match it, and with a body, so that none has to.
pub(super) fn broken(broken: &Broken) -> TokenStream {
    let mut item = broken.item.clone();
    if item.default.is_some() && item.sig.asyncness.is_none() {
        return item.to_token_stream();
    }
    item.sig.constness = None;
    let mut names = HashSet::new();
    for input in &mut item.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        // A pattern or `mut` would need a body of the user's, a name is given once, and a value has a size.
        match &*input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && names.insert(pat.ident.clone()) => {}
            _ => *input.pat = parse_quote!(_),
        }
        if parse::instead_of_unsized(&input.ty).is_some() {
            let ty = &input.ty;
            *input.ty = parse_quote!(&#ty);
        }
        known(&mut input.ty);
        if let (Type::Reference(reference), true) =
            (&mut *input.ty, item.sig.generics.params.is_empty())
        {
            // The compiler would say that nobody declares it.
            reference.lifetime = None;
        }
    }
    if let ReturnType::Type(_, ty) = &mut item.sig.output {
        known(ty);
    }
    for parameter in &mut item.sig.generics.params {
        if let GenericParam::Type(parameter) = parameter {
            parameter.default = None;
        }
    }
    // With a body, `self` and `Self` as types of values need a size.
    let sized = parse_quote!(Self: ::core::marker::Sized);
    item.sig.generics.make_where_clause().predicates.push(sized);
    let attrs = &item.attrs;
    let clause = &item.sig.generics.where_clause;
    let head = contract::head(&item.sig);
    let is_impl = |token: TokenTree| token.to_string() == "impl";
    let (output, body) = if item.sig.asyncness.is_some() {
        // What is behind `impl` in an argument need not be `Send`, and so the implementation's future.
        let output = if hygiene::any(item.sig.inputs.to_token_stream(), &is_impl) {
            let output = match &item.sig.output {
                ReturnType::Default => quote!(()),
                ReturnType::Type(_, ty) => ty.to_token_stream(),
            };
            quote!(impl ::core::future::Future<Output = #output>)
        } else {
            contract::future(&item.sig.output)
        };
        (quote!(-> #output), quote!({ ::core::future::pending() }))
    } else {
        (item.sig.output.to_token_stream(), quote!({ loop {} }))
    };
    let body = if broken.has_body() { body } else { quote!(;) };
    quote! {
        #(#attrs)*
        #[allow(unused_variables, unused_mut, clippy::empty_loop)]
        #head #output #clause #body
    }
}

/// A type without `_`, of which the compiler would complain once more.
fn known(ty: &mut Type) {
    let open = |token: TokenTree| token.to_string() == "_";
    if hygiene::any(ty.to_token_stream(), &open)
        && let Ok(closed) = syn::parse2(closed(ty.to_token_stream()))
    {
        *ty = closed;
    }
}

fn closed(tokens: TokenStream) -> TokenStream {
    let close = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), closed(group.stream()));
            inner.set_span(group.span());
            TokenTree::Group(inner).into()
        }
        token if token.to_string() == "_" => quote!(()),
        token => TokenStream::from(token),
    };
    tokens.into_iter().flat_map(close).collect()
}

/// The client's side of methods with mistakes: calls of them compile, whatever they pass.
pub(super) fn calls(broken: &Broken, runtime: &TokenStream, vis: &syn::Visibility) -> TokenStream {
    let Some(arguments) = broken.arguments else {
        return TokenStream::new();
    };
    let ident = &broken.item.sig.ident;
    let call = lifetime("'__call");
    let types: Vec<Ident> = (0..arguments).map(|number| format_ident!("__A{number}")).collect();
    let cfgs = broken.item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let (reply, error, more) = match &broken.item.sig.output {
        ReturnType::Default => (quote!(()), quote!(#runtime::Error), None),
        ReturnType::Type(_, ty) if !can_be_named(ty) => {
            (quote!(__Reply), quote!(__Error), Some(quote!(__Reply, __Error)))
        }
        // What the method was to give, it seems.
        ReturnType::Type(_, ty) if !parse::is_result(ty) => {
            (ty.to_token_stream(), quote!(#runtime::Error), None)
        }
        ReturnType::Type(_, ty) => (
            quote!(<#ty as #runtime::MethodResult>::Ok),
            quote!(<#ty as #runtime::MethodResult>::Err),
            None,
        ),
    };
    quote! {
        #(#cfgs)*
        #[allow(missing_docs)]
        #vis fn #ident<#call, #(#types,)* #more>(
            &#call self, #(_: #types),*
        ) -> #runtime::Call<#call, #runtime::NoArguments, #reply, #error> {
            loop {}
        }
    }
}

/// The client and the server of a trait that nothing can implement: names only.
pub(super) fn hollow(service: &Service) -> TokenStream {
    let runtime = service.krate.private();
    let vis = &service.item.vis;
    let name = |ident: &Ident| Ident::new(&ident.to_string(), Span::call_site());
    let client = service.client.as_ref().map(name).map(|client| {
        quote! {
            #[allow(missing_docs, dead_code, missing_debug_implementations)]
            #vis struct #client { channel: #runtime::Channel }
            #[allow(missing_docs, dead_code)]
            impl #client {
                #vis const fn new(channel: #runtime::Channel) -> Self { Self { channel } }
            }
        }
    });
    let (marker, value) = marker_field(&parse_quote!(<__T>));
    let server = service.server.as_ref().map(name).map(|server| {
        quote! {
            #[allow(missing_docs, dead_code, missing_debug_implementations)]
            #vis struct #server<__T> { #marker }
            #[allow(missing_docs, dead_code)]
            impl<__T> #server<__T> {
                #vis fn new(_: __T) -> Self { Self { #value } }
            }
        }
    });
    quote!(#client #server)
}

/// Whether a type may stand in other functions than its own.
fn can_be_named(ty: &Type) -> bool {
    let refused = |token: TokenTree| {
        let words = ["impl", "dyn", "Self", "Streaming", "&", "'", "_", "!"];
        words.contains(&token.to_string().as_str())
    };
    !hygiene::any(ty.to_token_stream(), &refused)
}
