//! What the attributes do: read, check, expand, and show all mistakes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, ItemTrait,
    parse::{ParseStream, Parser},
};

use crate::{
    attr::{self, Level, MOVED},
    ctxt::Ctxt,
    derive, expand, parse, validate,
};

/// `#[rpcx::service(args)]` on `item`.
pub(crate) fn service(args: &TokenStream, item: &TokenStream) -> TokenStream {
    guarded(item, || expand_service(args.clone(), item.clone()))
}

/// `#[rpcx(args)]` on `item`, where the compiler meets it before `#[rpcx::service]`.
pub(crate) fn options(args: &TokenStream, item: &TokenStream) -> TokenStream {
    guarded(item, || move_options(args, item.clone()))
}

/// `#[derive(rpcx::ServiceError)]` on `item`, which stays where it is.
pub(crate) fn service_error(item: TokenStream) -> TokenStream {
    guarded(&TokenStream::new(), || derive::service_error(item))
}

/// A panic would hide the user's item and so lead to errors all over the crate.
fn guarded(item: &TokenStream, run: impl FnOnce() -> TokenStream) -> TokenStream {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let message = "rpcx-macros failed on this: this is a mistake in rpcx-macros";
        let error = syn::Error::new(Span::call_site(), message).into_compile_error();
        quote!(#error #item)
    })
}

fn expand_service(args: TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = match syn::parse2::<ItemTrait>(item.clone()) {
        Ok(item) => {
            let service = parse::service(args, item, &ctxt);
            validate::validate(&service, &ctxt);
            expand::expand(&service)
        }
        Err(error) => {
            let Outline { attributes, rest, is_trait } = outline(item);
            if is_trait {
                ctxt.push(error);
            } else {
                ctxt.at(
                    first_span(&rest),
                    "`#[rpcx::service]` goes on a trait: the trait is the contract, \
                     its impl is the server",
                );
            }
            let others = attributes.iter().filter(|attribute| !attr::is_options(attribute));
            quote!(#(#others)* #rest)
        }
    };
    let errors = ctxt.finish();
    quote!(#code #errors)
}

/// Hands the options over to `service`, which is one of the attributes that follow: they are put
/// behind those. Options that come by a second time were taken by nobody.
fn move_options(args: &TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let moved = is_moved(args);
    let Outline { attributes, rest, is_trait } = outline(item);
    let place = attr::first_name(args).map_or_else(Span::call_site, |name| name.span());
    let message = if !is_trait {
        "`#[rpcx(...)]` belongs on a trait with `#[rpcx::service]`, on its methods or on their \
         parameters"
    } else if moved || attributes.is_empty() {
        "these options need `#[rpcx::service]` on the same trait"
    } else {
        let path = crate_path(args);
        let word = proc_macro2::Ident::new(MOVED, Span::call_site());
        ctxt.finish();
        return quote!(#(#attributes)* #[#path::rpcx(#word, #args)] #rest);
    };
    ctxt.at(place, message);
    // Further options would only be told the same.
    let others = attributes.iter().filter(|attribute| !attr::is_options(attribute));
    let errors = ctxt.finish();
    quote!(#(#others)* #rest #errors)
}

fn is_moved(args: &TokenStream) -> bool {
    matches!(args.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == MOVED)
}

/// The crate path that the options give, read without complaining: `service` will do that.
fn crate_path(args: &TokenStream) -> TokenStream {
    let silent = Ctxt::new();
    let options = attr::read(args.clone(), &[], Level::Trait, &silent);
    silent.finish();
    options.krate().into_token_stream()
}

/// An item as far as it matters where options stand.
struct Outline {
    attributes: Vec<Attribute>,
    rest: TokenStream,
    is_trait: bool,
}

fn outline(item: TokenStream) -> Outline {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    let (attributes, rest) = parser.parse2(item.clone()).unwrap_or_else(|_| (Vec::new(), item));
    // Outside of its groups, no other item has this keyword.
    let is_trait = rest.clone().into_iter().any(|token| token.to_string() == "trait");
    Outline { attributes, rest, is_trait }
}

fn first_span(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}
