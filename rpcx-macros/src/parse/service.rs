//! The service trait.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::{
    Attribute, GenericParam, Generics, ItemTrait, TraitItem, TraitItemFn, Type, TypeParamBound,
    Visibility, WherePredicate,
    parse::{ParseStream, Parser},
};

use super::{
    governance,
    method::{self, Defaults},
    registry,
};
use crate::{
    attr::{self, Key, Level, Options},
    ctxt::Ctxt,
    model::{Check, Codec, Coding, Item, Service},
    names::{self, Case},
};

/// Reads a service: the options of `#[rpcx::service(...)]` are in `inline`.
pub(crate) fn service(inline: TokenStream, mut item: ItemTrait, ctxt: &Ctxt) -> Service {
    let options = attr::take(&mut item.attrs);
    let options = attr::read(inline, &options, Level::Trait, ctxt);
    refuse_second(&mut item.attrs, ctxt);
    let mut checks = Vec::new();
    let registry = registry::registry(&options, &mut checks, ctxt);
    let hollow = !is_plain(&item, ctxt);
    let defaults = Defaults {
        case: case(&options),
        governance: governance::governance(&options),
        spawn: options.flag(Key::Spawn),
    };
    let items = items(&mut item, &defaults, ctxt);
    let (generics, supertraits) = split_bounds(&item);
    Service {
        krate: options.krate(),
        generics,
        supertraits,
        wire: wire_name(&options, &item, ctxt),
        client: options.generated(Key::Client, &item.ident, "Client"),
        server: options.generated(Key::Server, &item.ident, "Server"),
        mock: options.flag(Key::Mock).then(|| format_ident!("{}Mock", item.ident)),
        dynamic: options.flag(Key::Dyn).then(|| format_ident!("Dyn{}", item.ident)),
        client_trait: options.flag_or(Key::ClientTrait, true)
            && items.iter().all(Item::is_implementable),
        coding: coding(&options, &mut checks),
        registry,
        select: governance::variant(&options, Key::Select),
        checks,
        item,
        items,
        hollow,
    }
}

/// A second `#[rpcx::service]` would generate everything once more.
fn refuse_second(attributes: &mut Vec<Attribute>, ctxt: &Ctxt) {
    attributes.retain(|attribute| {
        let mut path = attribute.path().segments.iter().map(|segment| &segment.ident);
        let is_second = path.next().is_some_and(|first| first == "rpcx")
            && path.next().is_some_and(|second| second == "service");
        if is_second {
            ctxt.on(attribute, "`#[rpcx::service]` is on this trait already: write one");
        }
        !is_second
    });
}

/// Splits what the trait asks of its parameters from what it asks of an implementation.
fn split_bounds(item: &ItemTrait) -> (Generics, Vec<TypeParamBound>) {
    let mut generics = item.generics.clone();
    let mut supertraits: Vec<_> = item.supertraits.iter().cloned().collect();
    if let Some(clause) = &mut generics.where_clause {
        let predicates = std::mem::take(&mut clause.predicates);
        for predicate in predicates {
            match predicate {
                WherePredicate::Type(predicate) if is_self(&predicate.bounded_ty) => {
                    supertraits.extend(predicate.bounds);
                }
                predicate => clause.predicates.push(predicate),
            }
        }
    }
    (generics, supertraits)
}

fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

/// Whether the trait is one that generated code can implement.
fn is_plain(item: &ItemTrait, ctxt: &Ctxt) -> bool {
    let before = ctxt.len();
    if let Some(token) = &item.unsafety {
        ctxt.on(token, "an RPC service trait cannot be `unsafe`");
    }
    if let Some(token) = &item.modifiers.auto_token {
        ctxt.on(token, "an RPC service trait cannot be `auto`");
    }
    for parameter in &item.generics.params {
        if let GenericParam::Lifetime(parameter) = parameter {
            ctxt.on(
                &parameter.lifetime,
                "a service trait cannot have lifetime parameters: \
                 requests cross the network and own their data",
            );
        }
    }
    ctxt.len() == before
}

/// Whether no other method is called so; of those under a `cfg` at most one may exist.
fn is_only(method: &TraitItemFn, names: &mut HashSet<Ident>) -> bool {
    let conditional = method
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"));
    conditional || names.insert(method.sig.ident.clone())
}

fn items(item: &mut ItemTrait, defaults: &Defaults, ctxt: &Ctxt) -> Vec<Item> {
    let mut items = Vec::new();
    let mut remote = 0;
    let mut names = HashSet::new();
    for trait_item in std::mem::take(&mut item.items) {
        let read = match trait_item {
            TraitItem::Fn(method) if !is_only(&method, &mut names) => {
                let name = &method.sig.ident;
                ctxt.on(
                    name,
                    format_args!(
                        "the trait has a method `{name}` already: Rust does not tell methods apart \
                         by their parameters"
                    ),
                );
                continue;
            }
            TraitItem::Fn(method) => method::method(method, remote, defaults, ctxt),
            TraitItem::Const(constant) => {
                if constant.default.is_none() {
                    ctxt.on(
                        &constant.ident,
                        "a constant of a service trait needs a value: the client implements the \
                         trait too",
                    );
                }
                Item::Constant(Box::new(constant))
            }
            TraitItem::Type(ty) => {
                ctxt.on(
                    &ty,
                    "a service trait cannot have associated types: the client would not know \
                     them; use a type parameter of the trait",
                );
                Item::Unread(ty.into_token_stream())
            }
            TraitItem::Verbatim(tokens) if let Some((visibility, method)) = visible(&tokens) => {
                ctxt.on(
                    visibility,
                    "the methods of a trait are as visible as the trait: leave this out",
                );
                method::method(method, remote, defaults, ctxt)
            }
            other => {
                ctxt.on(&other, "`#[rpcx::service]` cannot see into this: write the methods out");
                Item::Unread(other.into_token_stream())
            }
        };
        remote += usize::from(matches!(read, Item::Method(_)));
        items.push(read);
    }
    if !items.iter().any(|item| matches!(item, Item::Method(_) | Item::Broken(_) | Item::Unread(_)))
    {
        ctxt.on(&item.ident, "a service needs at least one method");
    }
    items
}

/// A method with the visibility that it must not have, which the parser leaves as tokens.
fn visible(tokens: &TokenStream) -> Option<(Visibility, TraitItemFn)> {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let mut method: TraitItemFn = input.parse()?;
        method.attrs = attributes;
        Ok((visibility, method))
    };
    parser.parse2(tokens.clone()).ok()
}

fn wire_name(options: &Options, item: &ItemTrait, ctxt: &Ctxt) -> String {
    match options.text(Key::Name) {
        Some(literal) => {
            attr::check_wire_name(literal, ctxt);
            literal.value()
        }
        None => names::plain(&item.ident),
    }
}

fn case(options: &Options) -> Case {
    options.text(Key::RenameAll).and_then(|word| word.value().parse().ok()).unwrap_or_default()
}

fn coding(options: &Options, checks: &mut Vec<Check>) -> Coding {
    let mut coding = Coding::default();
    if let Some(word) = options.text(Key::Codec) {
        let (codec, check) = match word.value().as_str() {
            "json" => (Codec::Json, Some("__codec_json")),
            "protobuf" => (Codec::Protobuf, Some("__codec_protobuf")),
            "raw" => (Codec::Raw, None),
            _ => (Codec::Msgpack, None),
        };
        coding.codec = codec;
        checks.extend(check.map(|name| (name, word.span())));
    }
    if let Some(word) = options.text(Key::Compress).filter(|word| word.value() == "gzip") {
        coding.gzip = true;
        checks.push(("__compress_gzip", word.span()));
    }
    coding
}
