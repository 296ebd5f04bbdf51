//! A stand-in for tests: each method is answered by a closure.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, FnArg, Type};

use super::{allowed, client, contract, descriptor_name, marker_field};
use crate::{
    hygiene,
    model::{Item, Method, Service},
    names,
};

pub(super) fn mock(service: &Service) -> TokenStream {
    let Some(name) = &service.mock else {
        return TokenStream::new();
    };
    let answers: Vec<_> = service.methods().map(|method| Answer::new(service, method)).collect();
    let structure = structure(service, name, &answers);
    let common = common(service, name, &answers);
    let builders = builders(service, name, &answers);
    let implementable = service.items.iter().all(Item::is_implementable);
    let contract = implementable.then(|| implementation(service, name, &answers));
    quote!(#structure #common #builders #contract)
}

/// The stand-in for a trait that nothing can implement: its name only.
pub(super) fn hollow(service: &Service) -> TokenStream {
    let Some(name) = &service.mock else {
        return TokenStream::new();
    };
    let vis = &service.item.vis;
    quote! {
        #[allow(missing_docs, dead_code, missing_debug_implementations)]
        #vis struct #name;
        #[allow(missing_docs, dead_code, clippy::new_without_default)]
        impl #name {
            #vis fn new() -> Self { Self }
        }
    }
}

/// A method and the closure that answers it.
struct Answer<'a> {
    method: &'a Method,
    cfgs: Vec<&'a Attribute>,
    /// The name of the method in texts.
    text: String,
    /// The field that holds the closure, and the function that sets it.
    on: Ident,
    /// The function that sets one with a future, unless another method's has this name.
    on_async: Option<Ident>,
    types: Vec<&'a Type>,
}

impl<'a> Answer<'a> {
    fn new(service: &Service, method: &'a Method) -> Self {
        let text = names::plain(method.ident());
        let later = format!("{text}_async");
        let types = method.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Some(&*input.ty),
            FnArg::Receiver(_) => None,
        });
        Self {
            method,
            cfgs: method.cfgs(),
            on: format_ident!("on_{text}"),
            on_async: (!service.has_method(&later)).then(|| format_ident!("on_{later}")),
            types: types.collect(),
            text,
        }
    }

    /// The closure's arguments: the method's, the context included.
    fn arguments(&self) -> Vec<Ident> {
        hygiene::arguments(self.types.len())
    }
}

/// The name of the function that lists the calls.
fn calls(service: &Service) -> Ident {
    format_ident!("{}", if service.has_method("calls") { "mock_calls" } else { "calls" })
}

fn structure(service: &Service, name: &Ident, answers: &[Answer<'_>]) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let (vis, original, generics) = (&service.item.vis, service.ident(), &service.generics);
    let clause = &generics.where_clause;
    let (field, _) = marker_field(generics);
    let fields = answers.iter().map(|answer| {
        let Answer { cfgs, on, types, method, .. } = answer;
        let result = &method.output.ty;
        quote! {
            #(#cfgs)*
            #on: ::core::option::Option<#runtime::Mocked<
                dyn ::core::ops::FnMut(#(#types),*) -> #runtime::Answer<#result>
                    + ::core::marker::Send
            >>,
        }
    });
    let deprecated = service.deprecated();
    let calls = calls(service);
    let title = format!(" Stands in for [`{original}`] in tests: a closure answers each method.");
    let more = format!(
        " A method without a closure runs its default body, or returns an error that says so. \
         `{calls}` tells which methods were called. Clones have the calls in common, so that one can \
         be given away and another one asked.",
    );
    quote! {
        #[doc = #title]
        #[doc = ""]
        #[doc = #more]
        #(#deprecated)*
        #allowed
        #vis struct #name #generics #clause {
            calls: #runtime::MockCalls,
            #(#fields)*
            #field
        }
    }
}

/// What does not depend on the methods' types.
fn common(service: &Service, name: &Ident, answers: &[Answer<'_>]) -> TokenStream {
    let allowed = allowed();
    let (implementation, arguments, clause) = service.generics.split_for_impl();
    let (_, filled) = marker_field(&service.generics);
    let text = name.to_string();
    let (me, f) = (hygiene::local("self"), hygiene::local("f"));
    let each = |value: &dyn Fn(&Ident) -> TokenStream| -> TokenStream {
        let fields = answers.iter().map(|Answer { cfgs, on, .. }| {
            let value = value(on);
            quote!(#(#cfgs)* #on: #value,)
        });
        fields.collect()
    };
    let unset = each(&|_| quote!(::core::option::Option::None));
    let cloned = each(&|on| quote!(::core::clone::Clone::clone(&#me.#on)));
    quote! {
        #allowed
        impl #implementation ::core::default::Default for #name #arguments #clause {
            fn default() -> Self {
                Self { calls: ::core::default::Default::default(), #unset #filled }
            }
        }

        #allowed
        impl #implementation ::core::clone::Clone for #name #arguments #clause {
            fn clone(&#me) -> Self {
                Self { calls: ::core::clone::Clone::clone(&#me.calls), #cloned #filled }
            }
        }

        #allowed
        impl #implementation ::core::fmt::Debug for #name #arguments #clause {
            fn fmt(&#me, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #f.debug_struct(#text).field("calls", &#me.calls).finish_non_exhaustive()
            }
        }
    }
}

fn builders(service: &Service, name: &Ident, answers: &[Answer<'_>]) -> TokenStream {
    let runtime = service.krate.private();
    let allowed = allowed();
    let vis = &service.item.vis;
    let (implementation, arguments, clause) = service.generics.split_for_impl();
    let me = hygiene::local("self");
    let calls = calls(service);
    let builders = answers.iter().map(|answer| builder(service, answer));
    quote! {
        #allowed
        impl #implementation #name #arguments #clause {
            /// Starts without any closure.
            #[must_use]
            #vis fn new() -> Self {
                ::core::default::Default::default()
            }

            /// Lists the methods that were called, in the order of the calls, by their names in Rust.
            #[must_use]
            #vis fn #calls(&#me) -> #runtime::Vec<&'static ::core::primitive::str> {
                #me.calls.list()
            }

            #(#builders)*
        }
    }
}

/// The functions that set the closure of a method.
fn builder(service: &Service, answer: &Answer<'_>) -> TokenStream {
    let runtime = service.krate.private();
    let Answer { method, cfgs, text, on, on_async, types } = answer;
    let (vis, result, arguments) = (&service.item.vis, &method.output.ty, answer.arguments());
    let (me, closure) = (hygiene::local("self"), hygiene::local("answer"));
    let set = |value: TokenStream| {
        quote! {
            #me.#on = ::core::option::Option::Some(
                #runtime::Arc::new(#runtime::Mutex::new(move |#(#arguments: #types),*| #value)),
            );
            #me
        }
    };
    let title = format!(" Answers calls of `{text}` with what `answer` returns.");
    let now = set(quote!(#runtime::Answer::Now(#closure(#(#arguments),*))));
    let later = on_async.as_ref().map(|on_async| {
        let title = format!(" Answers calls of `{text}` with what the future of `answer` gives.");
        let later =
            set(quote!(#runtime::Answer::Later(#runtime::Box::pin(#closure(#(#arguments),*)))));
        quote! {
            #(#cfgs)*
            #[doc = #title]
            #[must_use]
            #vis fn #on_async<__Future>(
                mut #me,
                mut #closure: impl ::core::ops::FnMut(#(#types),*) -> __Future
                    + ::core::marker::Send + 'static,
            ) -> Self
            where
                __Future: ::core::future::Future<Output = #result> + ::core::marker::Send + 'static,
            {
                #later
            }
        }
    });
    quote! {
        #(#cfgs)*
        #[doc = #title]
        #[must_use]
        #vis fn #on(
            mut #me,
            mut #closure: impl ::core::ops::FnMut(#(#types),*) -> #result
                + ::core::marker::Send + 'static,
        ) -> Self {
            #now
        }

        #later
    }
}

/// The trait, implemented by the closures.
fn implementation(service: &Service, name: &Ident, answers: &[Answer<'_>]) -> TokenStream {
    let allowed = allowed();
    let trait_name = service.ident();
    let mut generics = service.generics.clone();
    let (_, arguments, _) = service.generics.split_for_impl();
    if let Some(bound) = client::supertraits(service, &quote!(#name #arguments)) {
        generics.make_where_clause().predicates.push(bound);
    }
    let (implementation, _, clause) = generics.split_for_impl();
    let methods = answers.iter().map(|answer| answered(service, name, answer));
    quote! {
        #allowed
        impl #implementation #trait_name #arguments for #name #arguments #clause {
            #(#methods)*
        }
    }
}

fn answered(service: &Service, name: &Ident, answer: &Answer<'_>) -> TokenStream {
    let runtime = service.krate.private();
    let Answer { method, text, on, .. } = answer;
    let closure = hygiene::local("answer");
    let values = method.context.iter().chain(method.params.iter().map(|param| &param.ident));
    let me = method.me();
    let mut signature = method.signature.clone();
    // A default body is here a second time, with what is allowed in it.
    let words: &[&str] = if method.body.is_some() { &["cfg", "allow", "expect"] } else { &["cfg"] };
    let attributes = method.attrs.iter().filter(|attribute| {
        let path = attribute.path();
        words.iter().any(|word| path.is_ident(word))
    });
    let otherwise = if let Some(body) = &method.body {
        body.to_token_stream()
    } else {
        signature.inputs = client::plain_inputs(method).into_iter().collect();
        let descriptor = descriptor_name(service);
        let (_, arguments, _) = service.generics.split_for_impl();
        let (turbofish, ident, mock) = (arguments.as_turbofish(), method.ident(), name.to_string());
        quote! {
            ::core::result::Result::Err(
                #descriptor #turbofish::#ident().error().read(#runtime::unmocked(#mock, #text))
            )
        }
    };
    let head = contract::head(&signature);
    let output = contract::future(&method.signature.output);
    quote! {
        #(#attributes)*
        #head -> #output {
            async move {
                #me.calls.record(#text);
                match &#me.#on {
                    ::core::option::Option::Some(#closure) => {
                        let #closure = (*#runtime::lock(#closure))(#(#values),*);
                        #closure.get().await
                    }
                    ::core::option::Option::None => #otherwise,
                }
            }
        }
    }
}
