//! Values by service and method.

use std::collections::HashMap;

/// Values by service and method, found without making a key of both.
#[derive(Clone, Debug)]
pub(super) struct MethodTable<V> {
    services: HashMap<String, HashMap<String, V>>,
}

impl<V> Default for MethodTable<V> {
    fn default() -> Self {
        Self { services: HashMap::new() }
    }
}

impl<V> MethodTable<V> {
    pub(super) fn get(&self, service: &str, method: &str) -> Option<&V> {
        self.services.get(service)?.get(method)
    }

    pub(super) fn insert(&mut self, service: &str, method: &str, value: V) -> Option<V> {
        self.services.entry(service.to_owned()).or_default().insert(method.to_owned(), value)
    }

    pub(super) fn remove(&mut self, service: &str, method: &str) -> Option<V> {
        let methods = self.services.get_mut(service)?;
        let value = methods.remove(method);
        if methods.is_empty() {
            self.services.remove(service);
        }
        value
    }
}
