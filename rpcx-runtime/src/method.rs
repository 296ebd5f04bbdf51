//! What both sides know about a method.

use std::time::Duration;

use crate::protocol::{Compression, SerializeType};
use crate::service_info::FailMode;
use crate::wire::{ErrorWire, Wire};

/// What the trait says about one method: its names on the wire and its options.
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
    fail_mode: Option<FailMode>,
}

impl MethodInfo {
    /// Starts from the wire names, everything else at its default.
    pub const fn new(service: &'static str, name: &'static str) -> Self {
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
            fail_mode: None,
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
        self.fail_mode = Some(mode);
        self
    }

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

    pub(crate) const fn call_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    pub(crate) const fn serialize_type(&self) -> SerializeType {
        self.serialize_type
    }

    pub(crate) const fn call_compression(&self) -> Compression {
        self.compression
    }

    pub(crate) const fn given_fail_mode(&self) -> Option<FailMode> {
        self.fail_mode
    }

    pub(crate) const fn wants_spawn(&self) -> bool {
        self.spawn
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
