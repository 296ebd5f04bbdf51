//! The client: a call for each method, and the trait itself.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{FnArg, Pat, Type, WherePredicate, parse_quote};

use super::{
    allowed, contract, descriptor, descriptor_name, fallback, index_name, lifetime, marker_field,
    outcome,
};
use crate::{
    hygiene::{self, Ends},
    model::{How, Item, Method, Param, Service},
};

pub(super) fn client(service: &Service) -> TokenStream {
    let Some(name) = &service.client else {
        return TokenStream::new();
    };
    let structure = structure(service, name);
    let constructors = constructors(service);
    let methods = service.items.iter().map(|item| match item {
        Item::Method(method) => call(service, method),
        Item::Broken(broken) => {
            fallback::calls(broken, &service.krate.private(), &service.item.vis)
        }
        _ => TokenStream::new(),
    });
    let contract = service.client_trait.then(|| implementation(service, name));
    let allowed = allowed();
    let (implementation, arguments, clause) = service.generics.split_for_impl();
    quote! {
        #structure

        #allowed
        impl #implementation #name #arguments #clause {
            #constructors
            #(#methods)*
        }

        #contract
    }
}

/// The type with all that does not depend on the methods.
fn structure(service: &Service, name: &Ident) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let vis = &service.item.vis;
    let generics = &service.generics;
    let (implementation, arguments, clause) = generics.split_for_impl();
    let (field, filled) = marker_field(generics);
    let deprecated = service.deprecated();
    let title = format!(" Calls the service [`{}`].", service.ident());
    let text = name.to_string();
    let index = index_name(service);
    let (me, channel, f) = (hygiene::local("self"), hygiene::local("channel"), hygiene::local("f"));
    quote! {
        #[doc = #title]
        #[doc = ""]
        #[doc = " Each method gives a call that runs when it is awaited."]
        #(#deprecated)*
        #allowed
        #vis struct #name #generics #clause {
            channel: #runtime::Channel,
            #field
        }

        #allowed
        impl #implementation ::core::clone::Clone for #name #arguments #clause {
            fn clone(&#me) -> Self {
                Self { channel: ::core::clone::Clone::clone(&#me.channel), #filled }
            }
        }

        #allowed
        impl #implementation ::core::fmt::Debug for #name #arguments #clause {
            fn fmt(&#me, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #f.debug_struct(#text).field("channel", &#me.channel).finish()
            }
        }

        #allowed
        impl #implementation #runtime::Client for #name #arguments #clause {
            fn from_channel(#channel: #runtime::Channel) -> Self {
                Self { channel: #channel, #filled }
            }

            fn channel(&#me) -> &#runtime::Channel {
                &#me.channel
            }

            fn service_info() -> ::core::option::Option<&'static #runtime::ServiceInfo> {
                ::core::option::Option::Some(#index::service())
            }
        }
    }
}

/// The constructors as inherent functions, each unless the service has a method of its name.
fn constructors(service: &Service) -> TokenStream {
    let runtime = service.krate.private();
    let vis = &service.item.vis;
    let (_, filled) = marker_field(&service.generics);
    let (channel, address) = (hygiene::local("channel"), hygiene::local("address"));
    let new = quote! {
        /// Makes a client of a channel.
        #vis const fn new(#channel: #runtime::Channel) -> Self {
            Self { channel: #channel, #filled }
        }
    };
    let place = place(service);
    let connect = quote! {
        #[doc = #place]
        ///
        /// It waits at most a second for the registry's first answer, and goes on without it: calls
        /// fail until there is one.
        ///
        /// # Errors
        ///
        /// If there is no registry, or one with wrong settings.
        #vis async fn connect() -> #runtime::Result<Self> {
            <Self as #runtime::Client>::connect().await
        }
    };
    let connect_to = quote! {
        /// Connects to the server at an address such as `tcp@127.0.0.1:8972`.
        ///
        /// # Errors
        ///
        /// If the address is none or nothing answers there.
        #vis async fn connect_to(
            #address: &::core::primitive::str,
        ) -> #runtime::Result<Self> {
            <Self as #runtime::Client>::connect_to(#address).await
        }
    };
    let builder = quote! {
        /// Makes a client with other settings than the defaults.
        #vis fn builder() -> #runtime::ClientBuilder<Self> {
            <Self as #runtime::Client>::builder()
        }
    };
    [("new", new), ("connect", connect), ("connect_to", connect_to), ("builder", builder)]
        .into_iter()
        .filter(|(name, _)| !service.has_method(name))
        .map(|(_, function)| function)
        .collect()
}

/// Where `connect` looks for servers.
fn place(service: &Service) -> String {
    match &service.registry {
        Some(registry) => format!(
            " Finds the servers of the service through its registry: `{}`, or the one that the \
             environment's `RPCX_REGISTRY` names.",
            registry.name.value(),
        ),
        None => " Finds the servers of the service through the registry that the environment's \
                 `RPCX_REGISTRY` names: the service itself names none."
            .to_owned(),
    }
}

/// The inherent method: it gives a call.
fn call(service: &Service, method: &Method) -> TokenStream {
    let runtime = service.krate.private();
    let (vis, ident, descriptor) = (&service.item.vis, method.ident(), descriptor_name(service));
    let (_, arguments, _) = service.generics.split_for_impl();
    let turbofish = arguments.as_turbofish();
    let passed_on = method.passed_on();
    let docs = (!method.attrs.iter().any(|a| a.path().is_ident("doc"))).then(|| {
        let text = format!(" Calls `{}.{}`.", service.wire, method.wire.text);
        quote!(#[doc = #text])
    });
    let me = hygiene::local("self");
    let call = lifetime("'__call");
    let passed: Vec<_> =
        method.params.iter().enumerate().map(|(n, param)| Passed::new(service, n, param)).collect();
    let (reply, error) = outcome(service, method);
    let ty = packed(service, method, &passed);
    let function = descriptor::counted("call", &method.params);
    let values = method.params.iter().map(|param| &param.ident);
    let generics = passed.iter().filter_map(|passed| passed.generic.as_ref());
    let bounds = passed.iter().filter_map(|passed| passed.bound.as_ref());
    let inputs = method.params.iter().zip(&passed).map(|(param, passed)| {
        let (ident, ty) = (&param.ident, &passed.ty);
        quote!(#ident: #ty)
    });
    quote! {
        #(#passed_on)*
        #docs
        #vis fn #ident<#call, #(#generics),*>(
            &#call #me, #(#inputs),*
        ) -> #runtime::Call<#call, #ty, #reply, #error>
        where
            #(#bounds),*
        {
            #runtime::#function(&#me.channel, &#descriptor #turbofish::#ident(), #(#values),*)
        }
    }
}

/// A parameter of the inherent method.
struct Passed {
    /// Its type parameter, if what it takes is open.
    generic: Option<Ident>,
    bound: Option<TokenStream>,
    ty: TokenStream,
}

impl Passed {
    fn new(service: &Service, number: usize, param: &Param) -> Self {
        let call = lifetime("'__call");
        if let How::Borrowed(reference) = &param.how {
            let mut reference = (**reference).clone();
            reference.lifetime = Some(call);
            return Self { generic: None, bound: None, ty: reference.into_token_stream() };
        }
        let runtime = service.krate.private();
        let generic = format_ident!("__A{number}");
        let wanted = &param.ty;
        Self {
            bound: Some(quote!(#generic: #runtime::ToArg<#wanted> + #call)),
            ty: generic.to_token_stream(),
            generic: Some(generic),
        }
    }
}

/// The type of all arguments of a call as one.
fn packed(service: &Service, method: &Method, passed: &[Passed]) -> TokenStream {
    let runtime = service.krate.private();
    let sent = descriptor::sent(service, method);
    match passed {
        [] => quote!(#runtime::NoArguments),
        [Passed { ty, .. }] => quote!(#runtime::One<#ty, #sent>),
        several => {
            let types = several.iter().map(|passed| &passed.ty);
            quote!(#runtime::Named<(#(#types),*), #sent>)
        }
    }
}

/// The trait, implemented by calls.
fn implementation(service: &Service, name: &Ident) -> TokenStream {
    let allowed = allowed();
    let trait_name = service.ident();
    let mut generics = service.generics.clone();
    let (_, arguments, _) = service.generics.split_for_impl();
    if let Some(bound) = supertraits(service, &quote!(#name #arguments)) {
        generics.make_where_clause().predicates.push(bound);
    }
    let (implementation, _, clause) = generics.split_for_impl();
    let methods = service.methods().map(|method| forwarded(service, method));
    quote! {
        #allowed
        impl #implementation #trait_name #arguments for #name #arguments #clause {
            #(#methods)*
        }
    }
}

/// The supertraits as a condition: if a generated type does not meet them, it lacks the trait and
/// nothing else. The lifetime keeps the compiler from refusing a condition that is never met.
pub(super) fn supertraits(service: &Service, own: &TokenStream) -> Option<WherePredicate> {
    let bounds = &service.supertraits;
    if bounds.is_empty() {
        return None;
    }
    let any = lifetime("'__rpcx");
    Some(parse_quote!(for<#any> #own: #(#bounds)+*))
}

/// A method of the trait as a call: inline, so that machine code is made where it is used, and none
/// where it is not.
fn forwarded(service: &Service, method: &Method) -> TokenStream {
    let runtime = service.krate.private();
    let (cfgs, ident) = (method.cfgs(), method.ident());
    let inputs = plain_inputs(method);
    let mut signature = method.signature.clone();
    signature.inputs = inputs.into_iter().collect();
    let head = contract::head(&signature);
    let me = method.me();
    let values = method.params.iter().map(|param| &param.ident);
    let mut call = quote!(Self::#ident(#me, #(#values),*));
    if let Some(context) = &method.context {
        call = quote!(#runtime::Call::inherit(#call, #context));
    }
    // Two borrows have no common lifetime that could be named here; inside a future they have one.
    let borrows = method.params.iter().any(|param| matches!(param.how, How::Borrowed(_)));
    if borrows {
        let output = contract::future(&method.signature.output);
        return quote!(#(#cfgs)* #[inline] #head -> #output { async move { #call.await } });
    }
    // The future by its name: what it is to be is then checked once, where `impl Future` would be
    // worked out from the body and checked in several places.
    let (reply, error) = outcome(service, method);
    let sent = descriptor::sent(service, method);
    let passed = match method.params.as_slice() {
        [] => quote!(#runtime::NoArguments),
        [_] => quote!(#runtime::One<#sent, #sent>),
        _ => quote!(#runtime::Named<#sent, #sent>),
    };
    // Errors about it are about what the method returns.
    let ends = Ends::of(&method.output.ty);
    let own = service.krate.private_at(ends.first);
    let open = quote_spanned!(ends.first=> #own::CallingFuture<'_,);
    let close = quote_spanned!(ends.last=> >);
    quote! {
        #(#cfgs)*
        #[inline]
        #[allow(refining_impl_trait)]
        #head -> #open #passed, #reply, #error #close {
            ::core::future::IntoFuture::into_future(#call)
        }
    }
}

/// The parameters without `mut` and attributes, which belong to a default body.
pub(super) fn plain_inputs(method: &Method) -> Vec<FnArg> {
    let mut inputs: Vec<_> = method.signature.inputs.iter().cloned().collect();
    for input in &mut inputs {
        let FnArg::Typed(input) = input else { continue };
        input.attrs.clear();
        if let Pat::Ident(pat) = &mut *input.pat {
            pat.mutability = None;
        }
        if let Type::Group(group) = &*input.ty {
            *input.ty = (*group.elem).clone();
        }
    }
    inputs
}
