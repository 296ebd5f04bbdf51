//! The methods of a service trait.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, FnArg, GenericArgument, LitStr, Meta, PathArguments, Receiver, ReceiverKind,
    ReturnType, Safety, Signature, TraitItemFn, Type,
};

use super::{
    governance,
    param::{self, Params},
    types::{self, Role, is_result, ungrouped},
};
use crate::{
    attr::{self, Key, Level, Options},
    ctxt::Ctxt,
    hygiene::Ends,
    model::{Broken, Governance, Item, Method, Output, WireName},
    names::{self, Case},
};

/// What the trait says for all of its methods.
pub(crate) struct Defaults {
    pub(crate) case: Case,
    pub(crate) governance: Governance,
    pub(crate) spawn: bool,
}

/// Reads one method; `index` is its number if it is called remotely.
pub(crate) fn method(
    mut item: TraitItemFn,
    index: usize,
    defaults: &Defaults,
    ctxt: &Ctxt,
) -> Item {
    let options = attr::take(&mut item.attrs);
    let options = attr::read(TokenStream::new(), &options, Level::Method, ctxt);
    refuse_hidden(&mut item.attrs, ctxt);
    if options.flag(Key::Local) {
        return local(item, &options, ctxt);
    }
    let wire = wire_name(&options, &item, defaults.case, ctxt);
    governance::backup(&options, &item.sig.ident, ctxt);

    let before = ctxt.len();
    qualifiers(&item, ctxt);
    receiver(&item.sig, ctxt);
    let params = param::params(item.sig.inputs.iter_mut(), ctxt);
    let output = output(&item, ctxt);
    let Params { context, sent, hash_key, count } = params;
    let (Some(output), true) = (output, ctxt.len() == before) else {
        let arguments = Some(count);
        return Item::Broken(Box::new(Broken { item, arguments }));
    };
    Item::Method(Box::new(Method {
        attrs: item.attrs,
        signature: item.sig,
        body: item.default,
        context,
        params: sent,
        oneway: oneway(&options, &output, ctxt),
        output,
        wire,
        aliases: aliases(&options, ctxt),
        governance: governance::governance(&options).or(&defaults.governance),
        hash_key,
        idempotent: options.flag(Key::Idempotent),
        spawn: options.flag_or(Key::Spawn, defaults.spawn),
        index,
    }))
}

/// An attribute macro sees `cfg_attr` on the items within its item unexpanded. What it would have
/// to know of is refused, and taken off so that the compiler does not complain as well.
fn refuse_hidden(attributes: &mut Vec<Attribute>, ctxt: &Ctxt) {
    attributes.retain(|attribute| {
        let Some(hidden) = hidden(attribute) else {
            return true;
        };
        let instead = match hidden {
            "rpcx" => "put `#[cfg(...)]` on the trait or the method instead",
            _ => "write one `#[cfg(...)]`",
        };
        ctxt.on(
            attribute,
            format_args!(
                "`{hidden}(...)` inside `cfg_attr` is not seen by `#[rpcx::service]`: {instead}"
            ),
        );
        false
    });
}

/// The attribute inside a `cfg_attr` that matters to the macro, if there is one.
fn hidden(attribute: &Attribute) -> Option<&'static str> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    if !attribute.path().is_ident("cfg_attr") {
        return None;
    }
    let tokens: Vec<_> = list.tokens.clone().into_iter().map(|token| token.to_string()).collect();
    let conditional = tokens.split(|token| token == ",").skip(1);
    let mut names = conditional.map(|part| part.iter().take_while(|token| *token != "="));
    names.find_map(|mut path| {
        path.find_map(|word| match word.as_str() {
            "rpcx" => Some("rpcx"),
            "cfg" => Some("cfg"),
            _ => None,
        })
    })
}

fn local(item: TraitItemFn, options: &Options, ctxt: &Ctxt) -> Item {
    for given in options.iter().filter(|given| given.key != Key::Local) {
        let name = &given.name;
        ctxt.on(
            name,
            format_args!("`{name}` has no effect on a local method: it is not called remotely"),
        );
    }
    if item.default.is_none() {
        ctxt.on(&item.sig.ident, "a local method needs a body: the client has it too");
        return Item::Broken(Box::new(Broken { item, arguments: None }));
    }
    Item::Local(Box::new(item))
}

/// Checks what may stand around the parameters.
fn qualifiers(item: &TraitItemFn, ctxt: &Ctxt) {
    let sig = &item.sig;
    let plain = "an RPC method is a plain `async fn`";
    if let Some(token) = &sig.constness {
        ctxt.on(token, plain);
    }
    match &sig.safety {
        Safety::Safe(token) => ctxt.on(token, plain),
        Safety::Unsafe(token) => ctxt.on(token, plain),
        Safety::Default => {}
    }
    if let Some(abi) = &sig.abi {
        ctxt.on(abi, plain);
    }
    if sig.asyncness.is_none() {
        let name = &sig.ident;
        let more = if item.default.is_some() {
            ", or mark it `#[rpcx(local)]` if it is not to be called remotely"
        } else {
            ""
        };
        ctxt.on(sig.fn_token, format_args!("RPC methods are async: write `async fn {name}`{more}"));
    }
    if let Some(parameter) = sig.generics.params.first() {
        ctxt.on(
            parameter,
            "an RPC method cannot be generic: its types must be known on the wire; \
             make the trait generic instead",
        );
    }
    if let Some(clause) = &sig.generics.where_clause {
        ctxt.on(clause, "an RPC method cannot have a where clause; put it on the trait");
    }
    if let Some(variadic) = &sig.variadic {
        ctxt.on(variadic.dots, plain);
    }
}

fn receiver(sig: &Signature, ctxt: &Ctxt) {
    match sig.inputs.first() {
        // A lifetime it names has been refused where it was declared.
        Some(FnArg::Receiver(receiver)) if has_lifetime(receiver, sig) => {}
        Some(FnArg::Receiver(receiver)) => param::receiver(receiver, ctxt),
        Some(FnArg::Typed(first)) => {
            ctxt.on(first, "the first parameter of an RPC method is `&self`");
        }
        None => {
            let span = sig.paren_token.span;
            let (open, close) = (quote_spanned!(span.open()=> .), quote_spanned!(span.close()=> .));
            ctxt.on(quote!(#open #close), "an RPC method takes `&self`");
        }
    }
}

fn has_lifetime(receiver: &Receiver, sig: &Signature) -> bool {
    let named = matches!(receiver.kind, ReceiverKind::Reference(_, Some(_), None));
    named && sig.generics.lifetimes().next().is_some()
}

fn output(item: &TraitItemFn, ctxt: &Ctxt) -> Option<Output> {
    // A function that is not async and has a body was not meant to be called remotely, it seems.
    let meant = item.sig.asyncness.is_some() || item.default.is_none();
    let before = ctxt.len();
    let name = &item.sig.ident;
    let ReturnType::Type(_, ty) = &item.sig.output else {
        if meant {
            ctxt.on(
                name,
                format_args!(
                    "`{name}` has no return type: a call can fail, so write `-> rpcx::Result<()>`"
                ),
            );
        }
        return None;
    };
    // That it is to be written as `async fn` has been said.
    if item.sig.asyncness.is_none() && types::is_future(ty) {
        return None;
    }
    types::check(ty, Role::Reply, ctxt);
    if meant && ctxt.len() == before && !is_result(ty) {
        let written = ty.to_token_stream().to_string().replace(' ', "");
        let alias = match &**ty {
            Type::Path(path) if path.path.segments.iter().all(|part| part.arguments.is_none()) => {
                " (an alias is known by its name: it ends in `Result`)"
            }
            _ => "",
        };
        ctxt.on(
            ty,
            format_args!(
                "an RPC method must return a `Result`, not `{written}`: write \
                 `rpcx::Result<{written}>`{alias}"
            ),
        );
    }
    if ctxt.len() > before {
        return None;
    }
    let (reply, error) = parts(ty);
    Some(Output {
        ty: (**ty).clone(),
        reply_ends: Ends::of(reply.unwrap_or(ty)),
        error_ends: Ends::of(error.unwrap_or(ty)),
        reply: reply.cloned(),
    })
}

/// The reply and the error of `…Result<T, E>`, as far as they can be seen.
///
/// Only errors are placed by this: which types they are, the compiler is asked.
fn parts(ty: &Type) -> (Option<&Type>, Option<&Type>) {
    let Type::Path(path) = ungrouped(ty) else {
        return (None, None);
    };
    let Some(last) = path.path.segments.last() else {
        return (None, None);
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return (None, None);
    };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    (types.next(), types.next())
}

fn oneway(options: &Options, output: &Output, ctxt: &Ctxt) -> bool {
    if !options.flag(Key::Oneway) {
        return false;
    }
    match &output.reply {
        Some(Type::Tuple(tuple)) if tuple.elems.is_empty() => true,
        // An alias may hide the unit type: the generated code asks for it.
        None => true,
        Some(other) => {
            ctxt.on(other, "a one-way method has no reply: return `rpcx::Result<()>`");
            false
        }
    }
}

fn wire_name(options: &Options, item: &TraitItemFn, case: Case, ctxt: &Ctxt) -> WireName {
    let ident = &item.sig.ident;
    match options.text(Key::Name) {
        Some(literal) => {
            attr::check_wire_name(literal, ctxt);
            WireName { text: literal.value(), origin: literal.to_token_stream() }
        }
        None => {
            WireName { text: case.apply(&names::plain(ident)), origin: ident.to_token_stream() }
        }
    }
}

fn aliases(options: &Options, ctxt: &Ctxt) -> Vec<LitStr> {
    let aliases = options.list(Key::Alias);
    for alias in aliases {
        attr::check_wire_name(alias, ctxt);
    }
    aliases.to_vec()
}
