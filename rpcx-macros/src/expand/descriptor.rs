//! What both sides know about each method.
//!
//! This is the only place that asks anything of the user's types, and each question stands at the
//! type it is about: one mistake gives one error, where it was made.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

use super::{allowed, descriptor_name, index_name, info, marker, outcome, projection, variant};
use crate::{
    hygiene::Ends,
    model::{Codec, How, Method, Param, Service},
};

pub(super) fn descriptor(service: &Service) -> TokenStream {
    let index = index(service);
    let name = descriptor_name(service);
    let allowed = allowed();
    let generics = &service.generics;
    let (implementation, arguments, clause) = generics.split_for_impl();
    let marker = marker(generics).map(|marker| quote!((#marker)));
    let methods = service.methods().map(|method| self::method(service, method));
    quote! {
        #index

        #allowed
        struct #name #generics #marker #clause;

        #allowed
        impl #implementation #name #arguments #clause {
            #(#methods)*
        }
    }
}

/// The runtime's function for so many parameters.
pub(super) fn counted(name: &str, params: &[Param]) -> Ident {
    format_ident!("{name}{}", params.len())
}

/// The types of what is sent: `()`, one type or a tuple.
pub(super) fn sent(service: &Service, method: &Method) -> TokenStream {
    let types: Vec<_> = method.params.iter().map(|param| owned(service, param)).collect();
    match types.as_slice() {
        [] => quote!(()),
        [one] => one.clone(),
        several => quote!((#(#several),*)),
    }
}

/// The type that the server decodes for a parameter.
pub(super) fn owned(service: &Service, param: &Param) -> TokenStream {
    let How::Borrowed(reference) = &param.how else {
        return param.ty.to_token_stream();
    };
    let ends = Ends::of(reference);
    let runtime = service.krate.private_at(ends.first);
    match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => {
            quote_spanned!(ends.last=> #runtime::String)
        }
        Type::Slice(slice) => {
            let elem = &slice.elem;
            let open = quote_spanned!(ends.first=> #runtime::Vec<);
            let close = quote_spanned!(ends.last=> >);
            quote!(#open #elem #close)
        }
        elem => elem.to_token_stream(),
    }
}

/// The numbers of the methods, and with each what is known without its types.
fn index(service: &Service) -> TokenStream {
    let name = index_name(service);
    let allowed = allowed();
    let runtime = service.krate.private();
    let variants = service.methods().map(|method| {
        let (cfgs, variant) = (method.cfgs(), variant(method));
        quote!(#(#cfgs)* #variant,)
    });
    // One table for all: each static or constant of its own costs the compiler time.
    let table = service.methods().map(|method| {
        let (cfgs, info) = (method.cfgs(), info::method(service, method));
        quote!(#(#cfgs)* &#info,)
    });
    let all = service.methods().map(|method| {
        let (cfgs, variant) = (method.cfgs(), variant(method));
        quote!(#(#cfgs)* Self::#variant,)
    });
    let service_info = info::service(service);
    quote! {
        #allowed
        enum #name { #(#variants)* }

        #allowed
        impl #name {
            const ALL: &'static [Self] = &[#(#all)*];

            const fn service() -> &'static #runtime::ServiceInfo {
                static INFO: #runtime::ServiceInfo = #service_info.with_methods(#name::methods());
                &INFO
            }

            const fn methods() -> &'static [&'static #runtime::MethodInfo] {
                static METHODS: &[&#runtime::MethodInfo] = &[#(#table)*];
                METHODS
            }

            const fn info(self) -> &'static #runtime::MethodInfo {
                Self::methods()[self as ::core::primitive::usize]
            }
        }
    }
}

fn method(service: &Service, method: &Method) -> TokenStream {
    let runtime = service.krate.private();
    let (cfgs, ident, index, variant) =
        (method.cfgs(), method.ident(), index_name(service), variant(method));
    let sent = sent(service, method);
    let (reply_type, error_type) = outcome(service, method);
    let arguments = arguments(service, method);
    let reply = reply(service, method);
    let error = error(service, method);
    quote! {
        #(#cfgs)*
        fn #ident() -> #runtime::Method<#sent, #reply_type, #error_type> {
            #runtime::Method::new(#index::#variant.info(), #arguments, #reply, #error)
        }
    }
}

fn arguments(service: &Service, method: &Method) -> TokenStream {
    let runtime = service.krate.private();
    match method.params.as_slice() {
        [] => quote!(#runtime::no_arguments()),
        [one] => {
            let function = match (service.coding.codec, &one.how) {
                (Codec::Protobuf, How::Owned) => quote!(message_argument),
                (Codec::Protobuf, How::Borrowed(_)) => quote!(borrowed_message_argument),
                (_, How::Owned) => quote!(argument),
                (_, How::Borrowed(_)) => quote!(borrowed_argument),
            };
            witness(service, &function, &owned(service, one), Ends::of(&one.ty))
        }
        several => {
            let function = counted("arguments", several);
            let fields = several.iter().map(|param| &param.field);
            let types = several.iter().map(|param| owned(service, param));
            let borrowed = several.iter().filter(|param| matches!(param.how, How::Borrowed(_)));
            let borrowed = borrowed.map(|param| {
                asked(service, &quote!(borrowed), &owned(service, param), Ends::of(&param.ty))
            });
            quote!({ #(#borrowed;)* #runtime::#function::<#(#types),*>(&[#(#fields),*]) })
        }
    }
}

fn reply(service: &Service, method: &Method) -> TokenStream {
    let messages = service.coding.codec == Codec::Protobuf;
    let function = if messages { quote!(message_reply) } else { quote!(reply) };
    let ends = method.output.reply_ends;
    let ty = if method.oneway { quote!(()) } else { projection(service, method, "Ok", ends) };
    witness(service, &function, &ty, ends)
}

fn error(service: &Service, method: &Method) -> TokenStream {
    let ends = method.output.error_ends;
    let ty = projection(service, method, "Err", ends);
    asked(service, &quote!(error_type), &ty, ends)
}

/// A question about one type, completed with what else the type can do.
fn witness(service: &Service, function: &TokenStream, ty: &TokenStream, ends: Ends) -> TokenStream {
    let asked = asked(service, function, ty, ends);
    quote!(#asked.complete())
}

/// A question about one type, asked at its place.
fn asked(service: &Service, function: &TokenStream, ty: &TokenStream, ends: Ends) -> TokenStream {
    let runtime = service.krate.private_at(ends.first);
    let function = crate::hygiene::respan(function.clone(), ends.first);
    let open = quote_spanned!(ends.first=> #runtime::#function::<);
    let close = quote_spanned!(ends.last=> >());
    quote!(#open #ty #close)
}
