//! Checks across the items of a service.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::{
    ctxt::Ctxt,
    model::{Codec, Method, Service},
    parse,
};

/// Notes what is wrong between items that are each right.
pub(crate) fn validate(service: &Service, ctxt: &Ctxt) {
    wire_names(service, ctxt);
    supertraits(service, ctxt);
    for method in service.methods() {
        fields(method, ctxt);
        codec(service.coding.codec, method, ctxt);
    }
}

/// No two names that the server answers may be equal.
///
/// Methods under a `cfg` are left out: at most one of several may exist.
fn wire_names(service: &Service, ctxt: &Ctxt) {
    let mut first: HashMap<&str, TokenStream> = HashMap::new();
    let always: Vec<_> = service.methods().filter(|method| method.cfgs().is_empty()).collect();
    for method in &always {
        let wire = &method.wire;
        if let Some(other) = first.get(wire.text.as_str()) {
            ctxt.pair(
                &wire.origin,
                format_args!("two methods have the wire name {:?}", wire.text),
                other,
                format_args!("{:?} is first used here", wire.text),
            );
        } else {
            first.insert(&wire.text, wire.origin.clone());
        }
    }
    let mut owners: HashMap<String, String> = always
        .iter()
        .map(|method| (method.wire.text.clone(), format!("the wire name of `{}`", method.ident())))
        .collect();
    for method in always {
        for alias in &method.aliases {
            let owner = format!("an alias of `{}`", method.ident());
            if let Some(owner) = owners.insert(alias.value(), owner) {
                ctxt.on(alias, format_args!("{:?} is already {owner}", alias.value()));
            }
        }
    }
}

/// What a pointer to any implementation cannot be, no implementation may have to be.
fn supertraits(service: &Service, ctxt: &Ctxt) {
    if service.dynamic.is_none() {
        return;
    }
    for bound in &service.supertraits {
        if let Some(name) = parse::never_dyn(bound) {
            ctxt.on(
                bound,
                format_args!("`{name}` and `dyn` exclude each other: no `dyn Trait` is `{name}`"),
            );
        }
    }
}

/// The fields of one request have different names, and only requests of several have any.
fn fields(method: &Method, ctxt: &Ctxt) {
    if let [only] = method.params.as_slice() {
        if let Some(name) = &only.named {
            ctxt.on(
                name,
                "`name` has no effect here: a single parameter is the whole request, not a field",
            );
        }
        return;
    }
    let mut first = HashMap::new();
    for param in &method.params {
        let place = param.named.as_ref().unwrap_or(&param.ident);
        if let Some(other) = first.insert(param.field.as_str(), place) {
            // Equal identifiers are the compiler's to report.
            if param.named.is_some() || *other != param.ident {
                ctxt.on(place, format_args!("two parameters are sent as {:?}", param.field));
            }
        }
    }
}

/// Codecs that carry one value cannot carry several parameters.
fn codec(codec: Codec, method: &Method, ctxt: &Ctxt) {
    let why = match codec {
        Codec::Msgpack | Codec::Json => return,
        Codec::Protobuf => "protobuf carries one message: group the parameters in a message",
        Codec::Raw => "the raw codec carries one run of bytes: take one parameter",
    };
    if let Some(second) = method.params.get(1) {
        let tokens = second.ident.to_token_stream();
        ctxt.on(tokens, why);
    }
}
