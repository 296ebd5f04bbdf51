//! The JSON schemas of the methods: only where the runtime has the feature for them.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Generics;

use super::{allowed, descriptor::owned, index_name, outcome, variant};
use crate::{
    hygiene,
    model::{Method, Service},
};

/// The implementation for a generated type; the runtime's macro drops it if its feature is off.
pub(super) fn schemas(service: &Service, name: &Ident, generics: &Generics) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let index = index_name(service);
    let generator = hygiene::local("generator");
    let methods = service.methods().map(|method| self::method(service, method, &generator));
    let (implementation, arguments, clause) = generics.split_for_impl();
    quote! {
        #runtime::__with_schema! {
            #allowed
            impl #implementation #runtime::Schemas for #name #arguments #clause {
                fn info() -> &'static #runtime::ServiceInfo {
                    #index::service()
                }

                fn methods(
                    #generator: &mut #runtime::SchemaGenerator,
                ) -> #runtime::Vec<#runtime::MethodSchema> {
                    ::core::convert::From::from([#(#methods)*])
                }
            }
        }
    }
}

fn method(service: &Service, method: &Method, generator: &Ident) -> TokenStream {
    let runtime = service.krate.private();
    let (cfgs, index, variant) = (method.cfgs(), index_name(service), variant(method));
    let types = method.params.iter().map(|param| owned(service, param));
    let (reply, _) = outcome(service, method);
    quote! {
        #(#cfgs)*
        #runtime::MethodSchema::new(
            #index::#variant.info(),
            ::core::convert::From::from([#(#runtime::Described::<#types>::ASKED.schema(#generator)),*]),
            #runtime::Described::<#reply>::ASKED.schema(#generator),
        ),
    }
}
