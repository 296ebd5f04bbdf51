//! The trait's twin that can stand behind `dyn`, for programs that choose an implementation while
//! they run.
//!
//! Its methods have hidden names. If they were called like the trait's, each call of a method would
//! have two meanings wherever both traits are in scope.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, FnArg, Generics, Lifetime, Receiver, ReceiverKind, ReturnType, Safety, Signature,
    TraitItemFn, Type, TypeReference, parse_quote,
};

use super::{allowed, client, contract, lifetime, server};
use crate::{
    hygiene,
    model::{Item, Service},
    names,
    parse::{never_dyn, ungrouped},
};

pub(super) fn dynamic(service: &Service) -> TokenStream {
    let Some(name) = &service.dynamic else {
        return TokenStream::new();
    };
    let twins: Vec<_> = service.items.iter().filter_map(Twin::new).collect();
    let object = object(service, name, &twins);
    let blanket = blanket(service, name, &twins);
    let pointers = service.items.iter().all(Item::is_implementable).then(|| {
        let (_, arguments, _) = service.generics.split_for_impl();
        let runtime = service.krate.private();
        let alive = lifetime("'__dyn");
        let own = quote!(dyn #name #arguments + #alive);
        [
            (own.clone(), quote!()),
            (quote!(#runtime::Box<#own>), quote!(&**)),
            (quote!(#runtime::Arc<#own>), quote!(&**)),
        ]
        .map(|(own, reach)| pointer(service, name, &own, &reach, &twins))
        .into_iter()
        .collect::<TokenStream>()
    });
    quote!(#object #blanket #pointers)
}

/// The twin of a trait that nothing can implement: its name only.
pub(super) fn hollow(service: &Service) -> TokenStream {
    let Some(name) = &service.dynamic else {
        return TokenStream::new();
    };
    let vis = &service.item.vis;
    quote! {
        #[allow(missing_docs, dead_code)]
        #vis trait #name: ::core::marker::Send + ::core::marker::Sync {}
    }
}

/// A method of the trait that the twin has too.
struct Twin<'a> {
    cfgs: Vec<&'a Attribute>,
    signature: &'a Signature,
    receiver: &'a Receiver,
    /// The parameters' types.
    types: Vec<&'a Type>,
    hidden: Ident,
}

impl<'a> Twin<'a> {
    fn new(item: &'a Item) -> Option<Self> {
        let (cfgs, signature) = match item {
            Item::Method(method) => (method.cfgs(), &method.signature),
            Item::Local(method) if can_be_called(method) => {
                let cfgs = method.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
                (cfgs.collect(), &method.sig)
            }
            _ => return None,
        };
        let receiver = signature.receiver()?;
        let types = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Some(ungrouped(&input.ty)),
            FnArg::Receiver(_) => None,
        });
        let hidden = format_ident!("__dyn_{}", names::plain(&signature.ident));
        Some(Self { cfgs, signature, receiver, types: types.collect(), hidden })
    }

    fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// The twin's signature. A future borrows everything for as long as `self`.
    fn head(&self, runtime: &TokenStream) -> TokenStream {
        let (ident, receiver, output) = (&self.hidden, self.receiver, &self.signature.output);
        let arguments = self.arguments();
        let types = &self.types;
        if !self.is_async() {
            return quote!(fn #ident(#receiver, #(#arguments: #types),*) #output);
        }
        let me = &receiver.self_token;
        let call = lifetime("'__call");
        let types = types.iter().map(|ty| lent(ty, &call));
        let reply = match output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => lent(ty, &call),
        };
        quote! {
            fn #ident<#call>(&#call #me, #(#arguments: #types),*) -> #runtime::BoxFuture<#call, #reply>
        }
    }

    /// The variables that hold the arguments: a parameter of a local method may be a pattern.
    fn arguments(&self) -> Vec<Ident> {
        hygiene::arguments(self.types.len())
    }

    /// The method of the trait itself, called through the twin.
    fn forwarded(&self, twin: &TokenStream, reach: &TokenStream) -> TokenStream {
        let (cfgs, receiver, hidden) = (&self.cfgs, self.receiver, &self.hidden);
        let (ident, arguments, types) = (&self.signature.ident, self.arguments(), &self.types);
        let me = &receiver.self_token;
        let call = quote!(#twin::#hidden(#reach #me, #(#arguments),*));
        let output = &self.signature.output;
        let (output, body) = if self.is_async() {
            let future = contract::future(output);
            // Two borrows have no common lifetime that could be named here; inside a future they
            // have one.
            let borrows = types.iter().any(|ty| matches!(ty, Type::Reference(_)));
            let body = if borrows { quote!(async move { #call.await }) } else { call };
            (quote!(-> #future), body)
        } else {
            (output.to_token_stream(), call)
        };
        quote! {
            #(#cfgs)*
            fn #ident(#receiver, #(#arguments: #types),*) #output { #body }
        }
    }
}

/// A type that is borrowed for as long as a lifetime, if it is borrowed.
fn lent(ty: &Type, lifetime: &Lifetime) -> TokenStream {
    match ungrouped(ty) {
        Type::Reference(reference) => {
            let lifetime = Some(lifetime.clone());
            TypeReference { lifetime, ..reference.clone() }.into_token_stream()
        }
        ty => ty.to_token_stream(),
    }
}

/// Whether a local method can be called without knowing the implementation. Where it cannot, its
/// default body runs.
fn can_be_called(method: &TraitItemFn) -> bool {
    let Signature { generics, inputs, output, safety, asyncness, .. } = &method.sig;
    let plain = generics.params.is_empty()
        && generics.where_clause.is_none()
        && matches!(safety, Safety::Default)
        && method.sig.abi.is_none();
    let borrowed = method.sig.receiver().is_some_and(|receiver| {
        receiver.attrs.is_empty() && matches!(receiver.kind, ReceiverKind::Reference(_, None, None))
    });
    // What the future of an async method borrows, it borrows as a whole.
    let known = |ty: &Type| {
        !hygiene::any(ty.to_token_stream(), &is_unknown)
            && (asyncness.is_none() || is_lent_as_a_whole(ungrouped(ty)))
    };
    let known_output = match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => known(ty),
    };
    let known_inputs = inputs.iter().all(|input| match input {
        FnArg::Receiver(_) => true,
        FnArg::Typed(input) => input.attrs.is_empty() && known(&input.ty),
    });
    plain && borrowed && known_output && known_inputs
}

/// Whether a word stands for a type that the implementation chooses.
fn is_unknown(token: TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "impl" || word == "Self")
}

/// Whether nothing but the type as a whole is borrowed.
fn is_lent_as_a_whole(ty: &Type) -> bool {
    let borrow = |token: TokenTree| ["&", "'"].contains(&token.to_string().as_str());
    match ty {
        Type::Reference(TypeReference { lifetime: None, mutability: None, elem, .. }) => {
            !hygiene::any(elem.to_token_stream(), &borrow)
        }
        Type::Reference(_) => false,
        ty => !hygiene::any(ty.to_token_stream(), &borrow),
    }
}

/// The trait's parameters; behind a pointer, what they stand for outlives every call.
fn lasting(service: &Service, mut generics: Generics) -> Generics {
    generics.make_where_clause().predicates.extend(server::lasting(service));
    generics
}

/// The twin itself.
fn object(service: &Service, name: &Ident, twins: &[Twin<'_>]) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let (vis, original) = (&service.item.vis, service.ident());
    // The others have been refused.
    let bounds = service.supertraits.iter().filter(|bound| never_dyn(bound).is_none());
    let generics = lasting(service, service.generics.clone());
    let clause = &generics.where_clause;
    let deprecated = service.deprecated();
    let title = format!(" [`{original}`] behind a pointer: `Box<dyn {name}>`, `Arc<dyn {name}>`.");
    let more = format!(
        " Implement [`{original}`]: whatever does is a `{name}` too. The pointers, and `dyn {name}`, \
         implement [`{original}`] again.",
    );
    let methods = twins.iter().map(|twin| {
        let (cfgs, head) = (&twin.cfgs, twin.head(&runtime));
        quote!(#(#cfgs)* #[doc(hidden)] #head;)
    });
    quote! {
        #[doc = #title]
        #[doc = ""]
        #[doc = #more]
        #(#deprecated)*
        #allowed
        #vis trait #name #generics:
            #(#bounds +)* ::core::marker::Send + ::core::marker::Sync
        #clause
        {
            #(#methods)*
        }
    }
}

/// Every implementation of the trait has the twin.
fn blanket(service: &Service, name: &Ident, twins: &[Twin<'_>]) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let (original, implementor) = (service.ident(), server::implementor(service));
    let (_, arguments, _) = service.generics.split_for_impl();
    let mut generics = lasting(service, server::generics(service));
    let bound = parse_quote!(#implementor: #original #arguments);
    generics.make_where_clause().predicates.push(bound);
    let (implementation, _, clause) = generics.split_for_impl();
    let methods = twins.iter().map(|twin| {
        let (cfgs, head, ident) = (&twin.cfgs, twin.head(&runtime), &twin.signature.ident);
        let (me, values) = (&twin.receiver.self_token, twin.arguments());
        let mut call = quote!(<#implementor as #original #arguments>::#ident(#me, #(#values),*));
        if twin.is_async() {
            call = quote!(#runtime::Box::pin(#call));
        }
        quote!(#(#cfgs)* #head { #call })
    });
    quote! {
        #allowed
        impl #implementation #name #arguments for #implementor #clause {
            #(#methods)*
        }
    }
}

/// The trait for the twin behind a pointer; `reach` leads from `self` to the twin.
fn pointer(
    service: &Service,
    name: &Ident,
    own: &TokenStream,
    reach: &TokenStream,
    twins: &[Twin<'_>],
) -> TokenStream {
    let allowed = allowed();
    let original = service.ident();
    let (_, arguments, _) = service.generics.split_for_impl();
    let turbofish = arguments.as_turbofish();
    let mut generics = lasting(service, service.generics.clone());
    let alive = lifetime("'__dyn");
    generics.params.insert(0, parse_quote!(#alive));
    if let Some(bound) = client::supertraits(service, own) {
        generics.make_where_clause().predicates.push(bound);
    }
    let (implementation, _, clause) = generics.split_for_impl();
    let twin = quote!(#name #turbofish);
    let methods = twins.iter().map(|method| method.forwarded(&twin, reach));
    quote! {
        #allowed
        impl #implementation #original #arguments for #own #clause {
            #(#methods)*
        }
    }
}
