//! The parameters of a method.

use proc_macro2::{Ident, TokenStream};
use syn::{FnArg, Pat, PatType, Receiver, ReceiverKind, Type, TypeReference, parse_quote};

use super::types::{self, Role, ungrouped};
use crate::{
    attr::{self, Key, Level, Options},
    ctxt::Ctxt,
    hygiene,
    model::{How, Param},
    names,
};

/// The most parameters a method can send.
const MOST: usize = 12;

/// The parameters of a method, the context apart.
pub(crate) struct Params {
    pub(crate) context: Option<Ident>,
    pub(crate) sent: Vec<Param>,
    /// Which of those is the key of consistent hashing.
    pub(crate) hash_key: Option<usize>,
    /// How many parameters were meant to be sent, wrong ones included.
    pub(crate) count: usize,
}

/// Reads the parameters and takes the options off them.
pub(crate) fn params<'a>(inputs: impl Iterator<Item = &'a mut FnArg>, ctxt: &Ctxt) -> Params {
    let mut params = Params { context: None, sent: Vec::new(), hash_key: None, count: 0 };
    for (position, input) in inputs.filter_map(|input| typed(input, ctxt)).enumerate() {
        let options = attr::take(&mut input.attrs);
        let options = attr::read(TokenStream::new(), &options, Level::Param, ctxt);
        check_attributes(input, ctxt);
        if is_context(input, &options) {
            context(input, position, &options, &mut params, ctxt);
        } else {
            argument(input, &options, &mut params, ctxt);
        }
    }
    params
}

/// Checks that a method takes `&self`.
pub(crate) fn receiver(receiver: &Receiver, ctxt: &Ctxt) {
    let instead = match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => return,
        ReceiverKind::Reference(_, Some(_), None) => {
            return ctxt.on(
                receiver,
                "an RPC method takes plain `&self`: it cannot have lifetime parameters",
            );
        }
        ReceiverKind::Reference(..) => "&mut self",
        ReceiverKind::Value => "self",
        _ => "a typed `self`",
    };
    let instead = if instead.contains('`') { instead.to_owned() } else { format!("`{instead}`") };
    ctxt.on(
        receiver,
        format_args!(
            "an RPC method takes `&self`, not {instead}: the server shares one instance among \
             all calls"
        ),
    );
}

fn typed<'a>(input: &'a mut FnArg, ctxt: &Ctxt) -> Option<&'a mut PatType> {
    match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(receiver) => {
            for options in attr::take(&mut receiver.attrs) {
                ctxt.on(options, "`self` has no options: they stand on the method or a parameter");
            }
            None
        }
    }
}

fn check_attributes(input: &PatType, ctxt: &Ctxt) {
    for attribute in &input.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            ctxt.on(
                attribute,
                "a parameter cannot be conditional: it would change the wire format; \
                 put `#[cfg]` on the method",
            );
        }
    }
}

fn is_context(input: &PatType, options: &Options) -> bool {
    if options.flag(Key::Arg) {
        return false;
    }
    options.flag(Key::Ctx) || named_context(&input.ty)
}

/// Whether a type is `&…Context`.
fn named_context(ty: &Type) -> bool {
    match ungrouped(ty) {
        Type::Reference(TypeReference { elem, .. }) => match ungrouped(elem) {
            Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "Context"),
            _ => false,
        },
        _ => false,
    }
}

fn context(
    input: &mut PatType,
    position: usize,
    options: &Options,
    params: &mut Params,
    ctxt: &Ctxt,
) {
    for given in options.iter().filter(|given| given.key != Key::Ctx) {
        let name = &given.name;
        ctxt.on(name, format_args!("`{name}` has no effect on the context: it is not sent"));
    }
    if position != 0 {
        return ctxt.on(&input.ty, "the context is the first parameter after `&self`");
    }
    match ungrouped(&input.ty) {
        Type::Reference(TypeReference { mutability: None, lifetime: None, .. }) => {}
        ty => return ctxt.on(ty, "the context is borrowed: write `&rpcx::Context`"),
    }
    if matches!(*input.pat, Pat::Wild(_)) {
        // The client passes it on: it needs a name, and the user none.
        let name = hygiene::local("_context");
        *input.pat = parse_quote!(#name);
    }
    params.context = name(input, "give the context a name, or `_`", ctxt).cloned();
}

fn argument(input: &PatType, options: &Options, params: &mut Params, ctxt: &Ctxt) {
    params.count += 1;
    if params.count == MOST + 1 {
        ctxt.on(
            &input.ty,
            format_args!("an RPC method has at most {MOST} parameters: group them in a struct"),
        );
    }
    if let (Some(ctx), Some(_)) = (options.get(Key::Ctx), options.get(Key::Arg)) {
        ctxt.on(&ctx.name, "`ctx` and `arg` exclude each other");
    }
    let field = options.text(Key::Name);
    if let Some(field) = field.filter(|field| field.value().is_empty()) {
        ctxt.on(field, "a wire name cannot be empty");
    }
    let how = passing(&input.ty, ctxt);
    let wanted = "give this parameter a name: it becomes a field of the request";
    let Some(ident) = name(input, wanted, ctxt).cloned() else {
        return;
    };
    if params.sent.iter().any(|param| param.ident == ident) {
        ctxt.on(&ident, format_args!("two parameters are called `{ident}`"));
    }
    hash_key(options, params, ctxt);
    params.sent.push(Param {
        field: field.map_or_else(|| names::plain(&ident), syn::LitStr::value),
        named: options.get(Key::Name).map(|given| given.name.clone()),
        ident,
        ty: (*input.ty).clone(),
        how,
    });
}

/// Notes that the next parameter is the key of consistent hashing, if it is.
fn hash_key(options: &Options, params: &mut Params, ctxt: &Ctxt) {
    let Some(given) = options.get(Key::HashKey).filter(|_| options.flag(Key::HashKey)) else {
        return;
    };
    match params.hash_key.and_then(|first| params.sent.get(first)) {
        Some(first) => {
            let name = &first.ident;
            ctxt.on(
                &given.name,
                format_args!(
                    "`hash_key` is on `{name}` already: one argument chooses the server; group \
                     in a struct what is to choose together"
                ),
            );
        }
        None => params.hash_key = Some(params.sent.len()),
    }
}

/// How a parameter is passed, with its type checked.
fn passing(ty: &Type, ctxt: &Ctxt) -> How {
    match ungrouped(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            ctxt.on(
                reference,
                "an RPC argument cannot be `&mut`: the callee is in another process; \
                 return the new value",
            );
            How::Owned
        }
        Type::Reference(reference) => {
            if let Some(lifetime) = &reference.lifetime {
                ctxt.on(
                    lifetime,
                    "a borrowed RPC argument has no lifetime of its own: the server lends it for \
                     one call",
                );
            }
            types::check(&reference.elem, Role::Argument, ctxt);
            How::Borrowed(Box::new(reference.clone()))
        }
        ty => {
            match types::instead_of_unsized(ty) {
                Some(instead) => {
                    ctxt.on(ty, format_args!("a value of this type has no size: write {instead}"));
                }
                None => types::check(ty, Role::Argument, ctxt),
            }
            How::Owned
        }
    }
}

fn name<'a>(input: &'a PatType, wanted: &str, ctxt: &Ctxt) -> Option<&'a Ident> {
    match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(&pat.ident),
        pat => {
            ctxt.on(pat, wanted);
            None
        }
    }
}
