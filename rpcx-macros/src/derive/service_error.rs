//! `#[derive(rpcx::ServiceError)]`: errors that cross the wire as JSON.
//!
//! What comes from elsewhere has no JSON form: a lost connection, a text of Go's. So the type is an
//! enum, and one of its variants takes those.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Generics, Ident, Item, ItemEnum, Member, Meta, Type, Variant};

use crate::{
    attr::{self, Key, Level, Options},
    ctxt::Ctxt,
    expand,
    hygiene::{self, CratePath, Ends},
};

/// `#[derive(rpcx::ServiceError)]` on `item`.
pub(crate) fn service_error(item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let code = match syn::parse2::<Item>(item) {
        Ok(Item::Enum(item)) => {
            let other = read(&item, &ctxt);
            let skeleton = Skeleton::new(&item.attrs, item.ident, item.generics);
            match other {
                Some(other) => expand(skeleton, other),
                None => skeleton.into_code(),
            }
        }
        Ok(Item::Struct(item)) => {
            let name = &item.ident;
            ctxt.on(
                name,
                format_args!(
                    "`ServiceError` is derived for enums: an error that `{name}` cannot hold needs \
                     a variant; write an enum with the variants `{name}({name})` and `#[service_error(other)] \
                     Other(rpcx::Error)`, and `#[serde(untagged)]` if the JSON is to stay as it is"
                ),
            );
            Skeleton::new(&item.attrs, item.ident, item.generics).into_code()
        }
        Ok(item) => {
            ctxt.on(item, "`ServiceError` is derived for enums");
            TokenStream::new()
        }
        Err(error) => {
            ctxt.push(error);
            TokenStream::new()
        }
    };
    let errors = ctxt.finish();
    quote!(#code #errors)
}

/// An error type without its variants: what is left of it if they are wrong.
struct Skeleton {
    krate: CratePath,
    ident: Ident,
    generics: Generics,
}

/// The variant for what comes from elsewhere.
struct Other {
    variant: Ident,
    member: Member,
    /// The type of its field.
    ty: Type,
}

impl Skeleton {
    /// Reads the type's own options, which another reading complains about.
    fn new(attributes: &[Attribute], ident: Ident, generics: Generics) -> Self {
        let silent = Ctxt::new();
        let krate = type_options(attributes, &silent);
        silent.finish();
        Self { krate, ident, generics }
    }

    /// An implementation that only keeps the user's other code from being told the same.
    fn into_code(self) -> TokenStream {
        let Self { krate, ident, mut generics } = self;
        if generics.lifetimes().next().is_some() {
            return TokenStream::new();
        }
        for parameter in generics.type_params_mut() {
            parameter.bounds.push(syn::parse_quote!(::core::marker::Send));
            parameter.bounds.push(syn::parse_quote!('static));
        }
        let runtime = krate.private();
        let (implementation, arguments, clause) = generics.split_for_impl();
        quote! {
            impl #implementation #runtime::ServiceError for #ident #arguments #clause {
                fn to_wire(&self) -> #runtime::String {
                    loop {}
                }

                fn from_wire(_: #runtime::Error) -> Self {
                    loop {}
                }
            }
        }
    }
}

fn type_options(attributes: &[Attribute], ctxt: &Ctxt) -> CratePath {
    options(attributes, Level::ErrorType, ctxt).krate()
}

fn options(attributes: &[Attribute], level: Level, ctxt: &Ctxt) -> Options {
    let options: Vec<_> = attributes.iter().filter(|a| is_options(a)).cloned().collect();
    attr::read(TokenStream::new(), &options, level, ctxt)
}

/// Whether an attribute holds options. It is not called `rpcx`: where the import of the attribute
/// macro of that name is missing, the compiler would propose this derive.
fn is_options(attribute: &Attribute) -> bool {
    attribute.path().is_ident("service_error")
}

/// Reads the enum; `None` if there is a mistake, which has been noted.
fn read(item: &ItemEnum, ctxt: &Ctxt) -> Option<Other> {
    let before = ctxt.len();
    type_options(&item.attrs, ctxt);
    for parameter in item.generics.lifetimes() {
        ctxt.on(
            &parameter.lifetime,
            "an error type cannot have lifetime parameters: \
             errors cross the network and own their data",
        );
    }
    let other = marked(item, ctxt).and_then(|variant| other(variant, ctxt));
    other.filter(|_| ctxt.len() == before)
}

/// Finds the variant that is marked `#[service_error(other)]`.
fn marked<'a>(item: &'a ItemEnum, ctxt: &Ctxt) -> Option<&'a Variant> {
    let mut marked: Option<(Ident, &Variant)> = None;
    let mut meant = false;
    for variant in &item.variants {
        let on_fields = variant.fields.iter().flat_map(|field| &field.attrs);
        if let Some(options) = on_fields.into_iter().find(|a| is_options(a)) {
            meant = true;
            ctxt.on(options, "`#[service_error(...)]` stands on the variant, not on its field");
        }
        let options = options(&variant.attrs, Level::Variant, ctxt);
        let malformed = |a: &Attribute| is_options(a) && !matches!(a.meta, Meta::List(_));
        meant |= options.is_given(Key::Other) || variant.attrs.iter().any(malformed);
        let Some(given) = options.get(Key::Other).filter(|_| options.flag(Key::Other)) else {
            continue;
        };
        match &marked {
            Some((first, _)) => ctxt.pair(
                &given.name,
                "two variants are marked `other`",
                first,
                "the first one is marked here",
            ),
            None => marked = Some((given.name.clone(), variant)),
        }
    }
    if marked.is_none() && !meant {
        ctxt.on(
            &item.ident,
            format_args!(
                "`{}` needs a variant for what comes from elsewhere, such as a lost connection or \
                 a text of Go's: add `#[service_error(other)] #[serde(skip)] Other(rpcx::Error)`",
                item.ident,
            ),
        );
    }
    marked.map(|(_, variant)| variant)
}

/// Reads the variant that is marked.
fn other(variant: &Variant, ctxt: &Ctxt) -> Option<Other> {
    let name = &variant.ident;
    if !is_skipped(&variant.attrs) {
        ctxt.on(name, "the `other` variant has no JSON form: write `#[serde(skip)]` on it");
    }
    let mut fields = variant.fields.members().zip(&variant.fields);
    let (Some((member, field)), None) = (fields.next(), fields.next()) else {
        let fields = &variant.fields;
        ctxt.on(
            quote!(#name #fields),
            format_args!("the `other` variant holds one error: write `{name}(rpcx::Error)`"),
        );
        return None;
    };
    Some(Other { variant: name.clone(), member, ty: field.ty.clone() })
}

/// Whether serde leaves a variant out, both ways.
fn is_skipped(attributes: &[Attribute]) -> bool {
    let words: Vec<_> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => Some(list.tokens.clone()),
            _ => None,
        })
        .flatten()
        .map(|token| token.to_string())
        .collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    has("skip") || (has("skip_serializing") && has("skip_deserializing"))
}

fn expand(skeleton: Skeleton, other: Other) -> TokenStream {
    let Skeleton { krate, ident, generics } = skeleton;
    let runtime = krate.private();
    let allowed = expand::allowed();
    let typed_error = typed_error(&krate, &ident, &generics);
    let generics = asked(&krate, &ident, generics);
    let (implementation, arguments, clause) = generics.split_for_impl();
    let turbofish = arguments.as_turbofish();
    let Other { variant, member, ty } = other;
    let other_error = other_error(&krate, &ty);
    let (me, error, typed) =
        (hygiene::local("self"), hygiene::local("error"), hygiene::local("typed"));
    quote! {
        #runtime::__derive_service_error! {}

        #[automatically_derived]
        const _: () = {
            // What is asked of the type is asked here alone, so that a lack is told once.
            #allowed
            fn __typed #implementation() -> #runtime::TypedWire<#ident #arguments> #clause {
                #typed_error
            }

            #allowed
            #[allow(unreachable_patterns)]
            impl #implementation #runtime::ServiceError for #ident #arguments #clause {
                fn to_wire(&#me) -> #runtime::String {
                    match #me {
                        Self::#variant { #member: #error } => #other_error.to_wire(#error),
                        #typed => __typed #turbofish().to_wire(#typed),
                    }
                }

                fn from_wire(#error: #runtime::Error) -> Self {
                    match __typed #turbofish().read(#error) {
                        ::core::result::Result::Ok(#typed) => #typed,
                        ::core::result::Result::Err(#error) => {
                            Self::#variant { #member: #other_error.read(#error) }
                        }
                    }
                }
            }
        };
    }
}

/// How the typed variants are written and read, with errors about it shown at the type's name.
fn typed_error(krate: &CratePath, ident: &Ident, generics: &Generics) -> TokenStream {
    let span = hygiene::at(ident.span());
    let runtime = krate.private_at(span);
    let (_, arguments, _) = generics.split_for_impl();
    let name = hygiene::respan(ident.to_token_stream(), span);
    quote_spanned!(span=> #runtime::typed_error::<#name #arguments>())
}

/// How the `other` variant is written and read, with errors about it shown at its field.
fn other_error(krate: &CratePath, ty: &Type) -> TokenStream {
    let ends = Ends::of(ty);
    let runtime = krate.private_at(ends.first);
    let open = quote_spanned!(ends.first=> #runtime::other_error::<);
    let close = quote_spanned!(ends.last=> >());
    quote!(#open #ty #close)
}

/// The type's parameters. With types among them, whether it has a JSON form depends on those: then it
/// is a condition.
fn asked(krate: &CratePath, ident: &Ident, mut generics: Generics) -> Generics {
    if generics.type_params().next().is_none() {
        return generics;
    }
    let span = hygiene::at(ident.span());
    let runtime = krate.private_at(span);
    let (_, arguments, _) = generics.split_for_impl();
    let own = quote!(#ident #arguments);
    let asked = quote_spanned!(span=> #runtime::TypedError);
    generics.make_where_clause().predicates.push(syn::parse_quote!(#own: #asked));
    generics
}
