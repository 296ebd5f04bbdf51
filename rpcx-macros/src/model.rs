//! A service as the macro understands it: what the parser hands to the expansion.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Block, Generics, ItemTrait, LitStr, Signature, TraitItemConst, TraitItemFn, Type,
    TypeParamBound, TypeReference,
};

use crate::{
    hygiene::{CratePath, Ends},
    names,
};

/// A service trait.
pub(crate) struct Service {
    pub(crate) krate: CratePath,
    /// The trait without its items and without options.
    pub(crate) item: ItemTrait,
    /// The trait's parameters, for everything beside the trait: what they ask of `Self` is asked
    /// of the implementation and so is left out.
    pub(crate) generics: Generics,
    /// What is asked of an implementation: the supertraits, in whatever way they are written.
    pub(crate) supertraits: Vec<TypeParamBound>,
    pub(crate) items: Vec<Item>,
    pub(crate) wire: String,
    /// The name of the client, if one is wanted.
    pub(crate) client: Option<Ident>,
    /// The name of the server, if one is wanted.
    pub(crate) server: Option<Ident>,
    /// The name of the twin that can be behind `dyn`, if one is wanted.
    pub(crate) dynamic: Option<Ident>,
    /// The name of the stand-in for tests, if one is wanted.
    pub(crate) mock: Option<Ident>,
    /// Whether the client implements the trait.
    pub(crate) client_trait: bool,
    pub(crate) coding: Coding,
    pub(crate) registry: Option<Registry>,
    /// How clients choose among servers.
    pub(crate) select: Option<Ident>,
    /// Macros of the runtime that fail if a cargo feature is off, with the place that needs it.
    pub(crate) checks: Vec<Check>,
    /// The trait itself is wrong: nothing can implement it, so only names are generated.
    pub(crate) hollow: bool,
}

impl Service {
    pub(crate) fn ident(&self) -> &Ident {
        &self.item.ident
    }

    /// The methods that are called remotely and have no mistake in their shape.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.items.iter().filter_map(|item| match item {
            Item::Method(method) => Some(&**method),
            _ => None,
        })
    }

    /// That the trait is deprecated, if it is: so are the types made for it.
    pub(crate) fn deprecated(&self) -> impl Iterator<Item = &Attribute> {
        self.item.attrs.iter().filter(|attribute| attribute.path().is_ident("deprecated"))
    }

    /// Whether a method of this name stands in the trait, right or wrong.
    pub(crate) fn has_method(&self, name: &str) -> bool {
        self.items.iter().any(|item| match item {
            Item::Method(method) => names::plain(method.ident()) == name,
            Item::Broken(broken) => names::plain(&broken.item.sig.ident) == name,
            Item::Local(_) | Item::Constant(_) | Item::Unread(_) => false,
        })
    }
}

/// A macro of the runtime that fails if a cargo feature is off, and the place that needs it.
pub(crate) type Check = (&'static str, Span);

/// How payloads are written.
#[derive(Default)]
pub(crate) struct Coding {
    pub(crate) codec: Codec,
    pub(crate) gzip: bool,
}

/// A codec, by its serialize type.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Codec {
    #[default]
    Msgpack,
    Json,
    Protobuf,
    Raw,
}

/// Where servers of the service are written down, and what is written there. What is absent is the
/// runtime's to choose.
pub(crate) struct Registry {
    pub(crate) name: LitStr,
    pub(crate) base_path: Option<LitStr>,
    pub(crate) servers: Vec<LitStr>,
    pub(crate) update_interval: Option<Duration>,
    pub(crate) session_ttl: Option<Duration>,
    pub(crate) metrics: bool,
    pub(crate) group: Option<LitStr>,
    pub(crate) weight: Option<u32>,
    /// How servers are written into Consul.
    pub(crate) layout: Option<LitStr>,
}

/// How calls cope with servers that fail or are slow, as far as a trait or a method says so. Words
/// are variants of the runtime's enums.
#[derive(Clone, Default)]
pub(crate) struct Governance {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) fail_mode: Option<Ident>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry: Option<Ident>,
    pub(crate) retry_interval: Option<Duration>,
    pub(crate) backup_latency: Option<Duration>,
}

impl Governance {
    /// Fills what is open from what counts less.
    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            timeout: self.timeout.or(other.timeout),
            attempt_timeout: self.attempt_timeout.or(other.attempt_timeout),
            fail_mode: self.fail_mode.or_else(|| other.fail_mode.clone()),
            retries: self.retries.or(other.retries),
            retry: self.retry.or_else(|| other.retry.clone()),
            retry_interval: self.retry_interval.or(other.retry_interval),
            backup_latency: self.backup_latency.or(other.backup_latency),
        }
    }
}

/// One item of the trait.
pub(crate) enum Item {
    Method(Box<Method>),
    Broken(Box<Broken>),
    /// A method that is not on the wire.
    Local(Box<TraitItemFn>),
    Constant(Box<TraitItemConst>),
    /// What an error has been noted for and only the trait keeps.
    Unread(TokenStream),
}

impl Item {
    /// Whether an implementation may leave it out, or is sure to have it.
    pub(crate) fn is_implementable(&self) -> bool {
        match self {
            Self::Method(_) | Self::Local(_) => true,
            Self::Broken(broken) => broken.has_body(),
            Self::Constant(constant) => constant.default.is_some(),
            Self::Unread(_) => false,
        }
    }
}

/// A method that is called remotely.
pub(crate) struct Method {
    /// All attributes but the options: for the trait.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) body: Option<Block>,
    /// The parameter that is the context.
    pub(crate) context: Option<Ident>,
    pub(crate) params: Vec<Param>,
    pub(crate) output: Output,
    pub(crate) wire: WireName,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) governance: Governance,
    /// Which of the parameters is the key of consistent hashing.
    pub(crate) hash_key: Option<usize>,
    pub(crate) oneway: bool,
    pub(crate) idempotent: bool,
    pub(crate) spawn: bool,
    /// Its number among the methods that are called remotely.
    pub(crate) index: usize,
}

impl Method {
    pub(crate) fn ident(&self) -> &Ident {
        &self.signature.ident
    }

    /// The user's own `self`, which default bodies name.
    pub(crate) fn me(&self) -> TokenStream {
        let receiver = self.signature.receiver();
        receiver.map(|receiver| receiver.self_token.to_token_stream()).unwrap_or_default()
    }

    /// The conditions under which the method exists: on everything made for it.
    pub(crate) fn cfgs(&self) -> Vec<&Attribute> {
        self.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
    }

    /// The attributes that the client's method has too.
    pub(crate) fn passed_on(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attribute| {
            let path = attribute.path();
            ["cfg", "doc", "deprecated"].iter().any(|name| path.is_ident(name))
        })
    }
}

/// The wire name of a method.
pub(crate) struct WireName {
    pub(crate) text: String,
    /// The literal it was given by, or the method's name.
    pub(crate) origin: TokenStream,
}

/// A parameter that is sent.
pub(crate) struct Param {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) how: How,
    /// Its field in a request of several parameters.
    pub(crate) field: String,
    /// The option that named the field, if one did.
    pub(crate) named: Option<Ident>,
}

/// How a parameter is passed.
pub(crate) enum How {
    Owned,
    Borrowed(Box<TypeReference>),
}

/// What a method returns.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// The type of the reply as far as it can be seen, for errors about it.
    pub(crate) reply: Option<Type>,
    pub(crate) reply_ends: Ends,
    pub(crate) error_ends: Ends,
}

/// A method with a mistake in its shape. It stays in the trait as it was written, so that
/// implementations and calls of it do not lead to further errors.
pub(crate) struct Broken {
    pub(crate) item: TraitItemFn,
    /// How many arguments a remote call has, the context not counted.
    pub(crate) arguments: Option<usize>,
}

impl Broken {
    /// Whether a body can be made up for it: not if a type is to be inferred from that.
    pub(crate) fn has_body(&self) -> bool {
        let opaque = |token: TokenTree| matches!(token, TokenTree::Ident(word) if word == "impl");
        let flat = self.item.sig.output.to_token_stream();
        self.item.default.is_some() || !crate::hygiene::any(flat, &opaque)
    }
}
