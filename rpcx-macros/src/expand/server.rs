//! The server: finds the method by its wire name and runs the user's implementation.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericParam, Generics, parse_quote};

use super::{allowed, descriptor_name, index_name, marker_field, variant};
use crate::{
    hygiene::{self, Ends},
    model::{How, Method, Service},
};

pub(super) fn server(service: &Service) -> TokenStream {
    let Some(name) = &service.server else {
        return TokenStream::new();
    };
    let structure = structure(service, name);
    let dispatch = dispatch(service, name);
    quote!(#structure #dispatch)
}

/// The type parameter for the implementation: `T`, unless the trait has parameters of its own,
/// of which one may be called so.
pub(super) fn implementor(service: &Service) -> Ident {
    let plain = service.generics.params.is_empty();
    Ident::new(if plain { "T" } else { "__T" }, Span::call_site())
}

/// The parameters of the trait, with the implementation first: defaults have to come last.
pub(super) fn generics(service: &Service) -> Generics {
    let implementor = implementor(service);
    let mut generics = service.generics.clone();
    generics.params.insert(0, parse_quote!(#implementor));
    generics
}

fn structure(service: &Service, name: &Ident) -> TokenStream {
    let allowed = allowed();
    let vis = &service.item.vis;
    let generics = generics(service);
    let implementor = implementor(service);
    let (implementation, arguments, clause) = generics.split_for_impl();
    let (field, filled) = marker_field(&service.generics);
    let title = format!(" Serves an implementation of [`{}`].", service.ident());
    let text = name.to_string();
    let (me, inner, f) = (hygiene::local("self"), hygiene::local("service"), hygiene::local("f"));
    let head = quote!(#vis struct #name #generics);
    quote! {
        #[doc = #title]
        #allowed
        #head #clause {
            service: #implementor,
            #field
        }

        #allowed
        impl #implementation #name #arguments #clause {
            /// Makes a service of an implementation.
            #vis const fn new(#inner: #implementor) -> Self {
                Self { service: #inner, #filled }
            }

            const fn __service(&#me) -> &#implementor {
                &#me.service
            }
        }

        #allowed
        impl #implementation ::core::fmt::Debug for #name #arguments #clause {
            fn fmt(&#me, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #f.debug_struct(#text).finish_non_exhaustive()
            }
        }
    }
}

fn dispatch(service: &Service, name: &Ident) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let implementor = implementor(service);
    let trait_name = service.ident();
    let mut generics = generics(service);
    let bounds = lasting(service);
    let (_, trait_arguments, _) = service.generics.split_for_impl();
    let clause = generics.make_where_clause();
    clause.predicates.push(parse_quote!(#implementor: #trait_name #trait_arguments + 'static));
    clause.predicates.extend(bounds);
    let (implementation, arguments, clause) = generics.split_for_impl();
    let index = index_name(service);
    let resolve = resolve(service);
    let start = start(service);
    let me = hygiene::local("self");
    quote! {
        #allowed
        impl #implementation #runtime::Service for #name #arguments #clause {
            fn info(&#me) -> &'static #runtime::ServiceInfo {
                #index::service()
            }

            fn methods(&#me) -> &'static [&'static #runtime::MethodInfo] {
                #index::methods()
            }

            #resolve

            #start
        }
    }
}

/// A server outlives the function that made it, and so do the types of its requests.
pub(super) fn lasting(service: &Service) -> Vec<syn::WherePredicate> {
    let types = service.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        _ => None,
    });
    types.map(|ident| parse_quote!(#ident: 'static)).collect()
}

fn resolve(service: &Service) -> TokenStream {
    let index = index_name(service);
    let arms = service.methods().map(|method| {
        let (cfgs, variant) = (method.cfgs(), variant(method));
        let aliases = method.aliases.iter().map(syn::LitStr::value);
        let names = std::iter::once(method.wire.text.clone()).chain(aliases);
        let names = names.map(|name| Literal::byte_string(name.as_bytes()));
        quote! {
            #(#cfgs)*
            #(#names)|* => ::core::option::Option::Some(#index::#variant as ::core::primitive::u16),
        }
    });
    let (me, name) = (hygiene::local("self"), hygiene::local("method"));
    quote! {
        fn resolve(
            &#me,
            #name: &[::core::primitive::u8],
        ) -> ::core::option::Option<::core::primitive::u16> {
            match #name {
                #(#arms)*
                _ => ::core::option::Option::None,
            }
        }
    }
}

fn start(service: &Service) -> TokenStream {
    let runtime = service.krate.private();
    let index = index_name(service);
    let arms = service.methods().map(|method| arm(service, method));
    let (me, number) = (hygiene::local("self"), hygiene::local("index"));
    let (request, slot) = (hygiene::local("request"), hygiene::local("slot"));
    quote! {
        fn start(
            #me: #runtime::Arc<Self>,
            #number: ::core::primitive::u16,
            #request: #runtime::Request,
            #slot: &mut #runtime::Slot,
        ) {
            match #index::ALL.get(#number as ::core::primitive::usize) {
                #(#arms)*
                _ => #request.unknown_method(),
            }
        }
    }
}

/// Decodes the arguments and runs the method in the connection's slot.
fn arm(service: &Service, method: &Method) -> TokenStream {
    let (cfgs, variant, ident) = (method.cfgs(), variant(method), method.ident());
    let index = index_name(service);
    let descriptor = descriptor_name(service);
    let (_, trait_arguments, _) = service.generics.split_for_impl();
    let turbofish = trait_arguments.as_turbofish();
    let (implementor, trait_name) = (implementor(service), service.ident());
    let (me, known, request, slot) = (
        hygiene::local("self"),
        hygiene::local("method"),
        hygiene::local("request"),
        hygiene::local("slot"),
    );
    let (exchange, result) = (hygiene::local("exchange"), hygiene::local("result"));
    let locals = hygiene::arguments(method.params.len());
    let pattern = match locals.as_slice() {
        [] => quote!(()),
        [one] => one.to_token_stream(),
        several => quote!((#(#several),*)),
    };
    let function = quote!(<#implementor as #trait_name #trait_arguments>::#ident);
    // What is asked of the result, is asked where it is written.
    let place = Ends::of(&method.output.ty).first;
    let borrows = method.params.iter().any(|param| matches!(param.how, How::Borrowed(_)));
    let run = if borrows {
        let context = method.context.is_some().then(|| quote!(#exchange.context(),));
        let values = method.params.iter().zip(&locals).map(|(param, local)| match param.how {
            How::Owned => quote!(#local),
            How::Borrowed(_) => quote!(&#local),
        });
        let answer = quote_spanned!(place=> #exchange.answer(&#known(), #result););
        quote! {
            #slot.run(async move {
                let #result = #function(&#me.service, #context #(#values),*).await;
                #answer
            });
        }
    } else {
        let serve = match method.context {
            Some(_) => quote_spanned!(place=> #slot.serve_in_context),
            None => quote_spanned!(place=> #slot.serve),
        };
        // And of the arguments where the first of them is.
        let first = method.params.first().map_or(place, |param| Ends::of(&param.ty).first);
        let arguments = quote_spanned!(first=> (#(#locals,)*));
        quote!(#serve(#exchange, #known, #me, Self::__service, #arguments, #function);)
    };
    quote! {
        #(#cfgs)*
        ::core::option::Option::Some(#index::#variant) => {
            let #known = #descriptor #turbofish::#ident;
            if let ::core::option::Option::Some((#exchange, #pattern)) = #request.accept(&#known()) {
                #run
            }
        }
    }
}
