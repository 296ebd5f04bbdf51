//! What a trait's attribute says about the service as a whole.

use std::fmt;

use crate::method::MethodInfo;
use crate::modes::SelectMode;
use crate::registry_info::RegistryInfo;

/// What a trait says about the service as a whole; made by generated code.
#[derive(Clone, Copy, Debug)]
pub struct ServiceInfo {
    name: &'static str,
    registry: Option<RegistryInfo>,
    select: Option<SelectMode>,
    text: ServiceText,
}

/// What is known of a service for people.
#[derive(Clone, Copy)]
struct ServiceText {
    doc: &'static str,
    methods: &'static [&'static MethodInfo],
}

/// For generated code.
#[doc(hidden)]
impl ServiceInfo {
    /// Starts from the name on the wire.
    pub const fn new(name: &'static str) -> Self {
        Self { name, registry: None, select: None, text: ServiceText { doc: "", methods: &[] } }
    }

    /// Sets where servers of the service are written down.
    #[must_use]
    pub const fn registry(mut self, registry: RegistryInfo) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Sets how clients choose among servers.
    #[must_use]
    pub const fn select(mut self, mode: SelectMode) -> Self {
        self.select = Some(mode);
        self
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn doc(mut self, text: &'static str) -> Self {
        self.text.doc = text;
        self
    }

    /// Sets the list of the methods.
    #[must_use]
    pub const fn with_methods(mut self, methods: &'static [&'static MethodInfo]) -> Self {
        self.text.methods = methods;
        self
    }
}

impl ServiceInfo {
    /// Gives the name on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Gives the documentation of the trait; empty if there is none.
    pub const fn documentation(&self) -> &'static str {
        self.text.doc
    }

    /// Lists the methods, in the order of the trait.
    pub const fn methods(&self) -> &'static [&'static MethodInfo] {
        self.text.methods
    }

    pub(crate) fn given_registry(&self) -> Option<&RegistryInfo> {
        self.registry.as_ref()
    }

    pub(crate) fn given_select(&self) -> Option<SelectMode> {
        self.select
    }
}

/// Left out of `Debug`, where it would hide the rest.
impl fmt::Debug for ServiceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceText").finish_non_exhaustive()
    }
}
