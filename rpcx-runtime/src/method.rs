//! What both sides know about a method.

use std::fmt;
use std::time::Duration;

use crate::governance::Governance;
use crate::modes::{FailMode, RetryRule};
use crate::protocol::{Compression, SerializeType};
use crate::wire::{ErrorWire, Wire};

/// What the trait says about one method: its names on the wire, its options, its types in words.
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo {
    service: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    timeout: Option<Duration>,
    serialize_type: SerializeType,
    compression: Compression,
    oneway: bool,
    idempotent: bool,
    spawn: bool,
    governance: Governance,
    hash_key: Option<usize>,
    text: MethodText,
}

/// What is known of a method for people.
#[derive(Clone, Copy)]
struct MethodText {
    doc: &'static str,
    parameters: &'static [ParameterInfo],
    reply: &'static str,
}

/// A parameter of a method: its name, and its type in words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParameterInfo {
    name: &'static str,
    type_name: &'static str,
}

/// For generated code.
#[doc(hidden)]
impl MethodInfo {
    /// Starts from the wire names, everything else at its default.
    pub const fn new(service: &'static str, name: &'static str) -> Self {
        Self::declared(service, name, &[], "")
    }

    /// Starts from what every method of a trait has: its names, what is sent and the reply's type in words.
    ///
    /// One step and not four: the compiler runs them for each method of each service.
    pub const fn declared(
        service: &'static str,
        name: &'static str,
        parameters: &'static [ParameterInfo],
        reply: &'static str,
    ) -> Self {
        Self {
            service,
            name,
            aliases: &[],
            timeout: None,
            serialize_type: SerializeType::MSGPACK,
            compression: Compression::NONE,
            oneway: false,
            idempotent: false,
            spawn: false,
            governance: Governance::new(),
            hash_key: None,
            text: MethodText { doc: "", parameters, reply },
        }
    }

    /// Sets the further wire names that the server answers.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Sets how long a client waits for the reply.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the codec that clients use.
    #[must_use]
    pub const fn codec(mut self, serialize_type: SerializeType) -> Self {
        self.serialize_type = serialize_type;
        self
    }

    /// Sets the compression that clients use.
    #[must_use]
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Declares that the method is never answered.
    #[must_use]
    pub const fn oneway(mut self) -> Self {
        self.oneway = true;
        self
    }

    /// Declares that running the method twice is as good as running it once.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Declares that the handler always gets a task of its own.
    #[must_use]
    pub const fn spawn(mut self) -> Self {
        self.spawn = true;
        self
    }

    /// Sets what a call does when a server fails.
    #[must_use]
    pub const fn fail_mode(mut self, mode: FailMode) -> Self {
        self.governance.fail_mode = Some(mode);
        self
    }

    /// Sets how often a failed call is made again at most.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.governance.retries = Some(retries);
        self
    }

    /// Sets which failed calls may be made again.
    #[must_use]
    pub const fn retry(mut self, rule: RetryRule) -> Self {
        self.governance.retry = Some(rule);
        self
    }

    /// Sets the pause before a call is made again.
    #[must_use]
    pub const fn retry_interval(mut self, interval: Duration) -> Self {
        self.governance.retry_interval = Some(interval);
        self
    }

    /// Sets how long the first server has before a second one is called as well.
    #[must_use]
    pub const fn backup_latency(mut self, latency: Duration) -> Self {
        self.governance.backup_latency = Some(latency);
        self
    }

    /// Sets how long a single attempt may take.
    #[must_use]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.governance.attempt_timeout = Some(timeout);
        self
    }

    /// Declares which argument, counted from 0, is the key of consistent hashing.
    #[must_use]
    pub const fn hash_key(mut self, argument: usize) -> Self {
        self.hash_key = Some(argument);
        self
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn doc(mut self, text: &'static str) -> Self {
        self.text.doc = text;
        self
    }
}

impl MethodInfo {
    /// Gives the wire name of the service.
    pub const fn service_path(&self) -> &'static str {
        self.service
    }

    /// Gives the wire name of the method.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Gives the further wire names.
    pub const fn alias_names(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// Tells whether the method is never answered.
    pub const fn is_oneway(&self) -> bool {
        self.oneway
    }

    /// Tells whether running the method twice is as good as running it once.
    pub const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Gives the documentation of the trait's method; empty if there is none.
    pub const fn documentation(&self) -> &'static str {
        self.text.doc
    }

    /// Lists the parameters that are sent, the context not among them. A single one is the whole
    /// request; several are fields of a map.
    pub const fn sent_parameters(&self) -> &'static [ParameterInfo] {
        self.text.parameters
    }

    /// Gives the reply's type as the trait writes it; the whole result type if that is an alias.
    pub const fn reply_type(&self) -> &'static str {
        self.text.reply
    }

    pub(crate) const fn call_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    pub(crate) const fn serialize_type(&self) -> SerializeType {
        self.serialize_type
    }

    pub(crate) const fn call_compression(&self) -> Compression {
        self.compression
    }

    pub(crate) const fn governance(&self) -> &Governance {
        &self.governance
    }

    pub(crate) const fn hash_argument(&self) -> Option<usize> {
        self.hash_key
    }

    pub(crate) const fn wants_spawn(&self) -> bool {
        self.spawn
    }
}

/// Left out of `Debug`, where it would hide the rest.
impl fmt::Debug for MethodText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodText").finish_non_exhaustive()
    }
}

impl ParameterInfo {
    /// Makes one of its name and its type in words; for generated code.
    #[doc(hidden)]
    pub const fn new(name: &'static str, type_name: &'static str) -> Self {
        Self { name, type_name }
    }

    /// Gives the name: where several parameters are sent, that of the field.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Gives the type as the trait writes it. What is borrowed there is owned here: `String` for
    /// `&str`, `Vec<T>` for `&[T]`, `T` for `&T`.
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }
}

/// A method with its types: what it is called and how its values are written and read.
#[derive(Debug)]
pub struct Method<A, R, E> {
    info: &'static MethodInfo,
    arguments: Wire<A>,
    reply: Wire<R>,
    error: ErrorWire<E>,
}

impl<A, R, E> Method<A, R, E> {
    /// Puts the parts together.
    pub const fn new(
        info: &'static MethodInfo,
        arguments: Wire<A>,
        reply: Wire<R>,
        error: ErrorWire<E>,
    ) -> Self {
        Self { info, arguments, reply, error }
    }

    /// Gives what is known without the types.
    pub const fn info(&self) -> &'static MethodInfo {
        self.info
    }

    /// Gives how the arguments are written and read.
    pub const fn arguments(&self) -> Wire<A> {
        self.arguments
    }

    /// Gives how the reply is written and read.
    pub const fn reply(&self) -> Wire<R> {
        self.reply
    }

    /// Gives how the method's errors are written and read.
    pub const fn error(&self) -> ErrorWire<E> {
        self.error
    }
}

impl<A, R, E> Clone for Method<A, R, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, R, E> Copy for Method<A, R, E> {}
