//! From the model to code.

mod client;
mod contract;
mod describe;
mod descriptor;
mod dynamic;
mod fallback;
mod info;
mod mock;
mod schema;
mod server;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericParam, Generics, Lifetime};

use crate::{
    hygiene::{self, Ends},
    model::{Method, Service},
};

/// All that stands in the place of the trait.
pub(crate) fn expand(service: &Service) -> TokenStream {
    let contract = contract::contract(service);
    if service.hollow {
        let names = fallback::hollow(service);
        let (dynamic, mock) = (dynamic::hollow(service), mock::hollow(service));
        return quote!(#contract #names #dynamic #mock);
    }
    let checks = feature_checks(service);
    let descriptor = descriptor::descriptor(service);
    let client = client::client(service);
    let server = server::server(service);
    let described = service.client.as_ref();
    let schemas = described.map(|name| schema::schemas(service, name, &service.generics));
    let dynamic = dynamic::dynamic(service);
    let mock = mock::mock(service);
    quote! {
        #contract
        #checks
        #descriptor
        #client
        #server
        #schemas
        #dynamic
        #mock
    }
}

/// Calls of runtime macros that fail if a cargo feature is off: only the runtime knows which of
/// its features are on.
fn feature_checks(service: &Service) -> TokenStream {
    let check = |&(name, span): &(&str, Span)| {
        let runtime = service.krate.private_at(span);
        let name = Ident::new(name, hygiene::at(span));
        quote_spanned!(hygiene::at(span)=> #runtime::#name! {})
    };
    service.checks.iter().map(check).collect()
}

/// The lints that are silenced on generated items: none of them is the user's to act on, and in a
/// binary the client or the server of a service is often unused.
pub(crate) fn allowed() -> TokenStream {
    quote!(#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)])
}

/// The hidden type with what both sides know about each method.
fn descriptor_name(service: &Service) -> Ident {
    format_ident!("__{}Methods", service.ident(), span = generated_span(service))
}

/// The hidden type that numbers the methods.
fn index_name(service: &Service) -> Ident {
    format_ident!("__{}Index", service.ident(), span = generated_span(service))
}

fn generated_span(service: &Service) -> Span {
    hygiene::at(service.ident().span())
}

/// The number of a method, as a variant of the index: conditional methods have numbers only if
/// they exist, and the compiler counts.
fn variant(method: &Method) -> Ident {
    Ident::new(&format!("M{}", method.index), Span::call_site())
}

/// `<Ret as MethodResult>::Ok` or `::Err`, with errors about it shown at `ends`.
fn projection(service: &Service, method: &Method, part: &str, ends: Ends) -> TokenStream {
    let runtime = service.krate.private_at(ends.first);
    let ty = &method.output.ty;
    let part = Ident::new(part, ends.last);
    let open = quote_spanned!(ends.first=> <);
    let close = quote_spanned!(ends.last=> >::);
    let result = quote_spanned!(ends.first=> #runtime::MethodResult);
    quote!(#open #ty as #result #close #part)
}

/// The type of a method's reply and that of its error, as they stand in signatures.
fn outcome(service: &Service, method: &Method) -> (TokenStream, TokenStream) {
    let ends = Ends::of(&method.output.ty);
    let error = projection(service, method, "Err", ends);
    if method.oneway {
        return (quote!(()), error);
    }
    (projection(service, method, "Ok", ends), error)
}

/// A field type that uses all type parameters, owns none of them and is `Send` and `Sync`.
fn marker(generics: &Generics) -> Option<TokenStream> {
    let phantoms = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let ident = &parameter.ident;
            Some(quote!(::core::marker::PhantomData<#ident>))
        }
        _ => None,
    });
    let phantoms: Vec<_> = phantoms.collect();
    if phantoms.is_empty() {
        return None;
    }
    Some(quote!(::core::marker::PhantomData<fn() -> (#(#phantoms,)*)>))
}

/// The marker as a field and as its value, both empty if there is nothing to mark.
fn marker_field(generics: &Generics) -> (TokenStream, TokenStream) {
    match marker(generics) {
        Some(ty) => (quote!(marker: #ty,), quote!(marker: ::core::marker::PhantomData,)),
        None => (TokenStream::new(), TokenStream::new()),
    }
}

/// A lifetime that is not in the user's way.
fn lifetime(name: &str) -> Lifetime {
    Lifetime::new(name, Span::call_site())
}
