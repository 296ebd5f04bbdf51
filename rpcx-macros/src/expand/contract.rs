//! The trait itself: `async fn` becomes a function that returns a `Send` future.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Signature, TraitItemFn};

use super::fallback;
use crate::{
    hygiene::Ends,
    model::{Item, Method, Service},
};

pub(super) fn contract(service: &Service) -> TokenStream {
    let item = &service.item;
    let (attrs, vis, unsafety, auto) =
        (&item.attrs, &item.vis, &item.unsafety, &item.modifiers.auto_token);
    let (token, ident, generics) = (&item.trait_token, &item.ident, &item.generics);
    let clause = &generics.where_clause;
    let bounds = item.supertraits.iter();
    let items = service.items.iter().map(trait_item);
    let docs = docs(service);
    quote! {
        #(#attrs)*
        #docs
        #vis #unsafety #auto #token #ident #generics:
            #(#bounds +)* ::core::marker::Send + ::core::marker::Sync
        #clause
        {
            #(#items)*
        }
    }
}

/// `impl Future<Output = T> + Send`, with errors about it shown at `T`.
pub(super) fn future(output: &ReturnType) -> TokenStream {
    let ty = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let ends = Ends::of(&ty);
    let open = quote_spanned!(ends.first=> impl ::core::future::Future<Output = );
    let close = quote_spanned!(ends.last=> > + ::core::marker::Send);
    quote!(#open #ty #close)
}

/// Rustdoc and editors show the rewritten functions, so the documentation says what to write.
/// A trait without documentation is left to the `missing_docs` lint.
fn docs(service: &Service) -> Option<TokenStream> {
    let documented = service.item.attrs.iter().any(|attribute| attribute.path().is_ident("doc"));
    let text = " Implementations write these methods as `async fn`.";
    documented.then(|| quote!(#[doc = ""] #[doc = #text]))
}

fn trait_item(item: &Item) -> TokenStream {
    match item {
        Item::Method(method) => remote(method),
        Item::Broken(broken) => fallback::broken(broken),
        Item::Local(method) => local(method),
        Item::Constant(constant) => constant.to_token_stream(),
        Item::Unread(tokens) => tokens.clone(),
    }
}

fn remote(method: &Method) -> TokenStream {
    let (attrs, output) = (&method.attrs, future(&method.signature.output));
    let head = head(&method.signature);
    let Some(body) = &method.body else {
        return quote!(#(#attrs)* #head -> #output;);
    };
    quote! {
        #(#attrs)*
        #[allow(clippy::manual_async_fn)]
        #head -> #output { async move #body }
    }
}

/// A local method keeps its shape; only `async` is rewritten, so that its future is `Send` too.
fn local(method: &TraitItemFn) -> TokenStream {
    let Some(body) = method.default.as_ref().filter(|_| method.sig.asyncness.is_some()) else {
        return method.to_token_stream();
    };
    let (attrs, output) = (&method.attrs, future(&method.sig.output));
    let head = head(&method.sig);
    let clause = &method.sig.generics.where_clause;
    quote! {
        #(#attrs)*
        #[allow(clippy::manual_async_fn)]
        #head -> #output #clause { async move #body }
    }
}

/// A signature up to its return type, without `async`.
pub(super) fn head(sig: &Signature) -> TokenStream {
    let Signature { constness, safety, abi, fn_token, ident, generics, inputs, .. } = sig;
    quote!(#constness #safety #abi #fn_token #ident #generics (#inputs))
}
