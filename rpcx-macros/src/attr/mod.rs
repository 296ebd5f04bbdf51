//! The options of `#[rpcx(...)]`, from tokens to checked values.

mod read;
mod table;
mod value;

use proc_macro2::Ident;
use quote::format_ident;
use std::time::Duration;
use syn::{Attribute, LitStr};

#[cfg(test)]
pub(crate) use self::table::{Kind, Row, TABLE};
pub(crate) use self::{
    read::{first_name, read},
    table::{Key, Level},
    value::{Toggle, Value, check_wire_name},
};
use crate::hygiene::CratePath;

/// The first word of the options that the attribute `rpcx` hands over to `service`.
pub(crate) const MOVED: &str = "__moved";

/// One option as it was given.
pub(crate) struct Given {
    pub(crate) key: Key,
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// All options of one trait, method or parameter.
///
/// An option whose value is wrong is still in here: it counts as given, so that one mistake does
/// not lead to a second error.
#[derive(Default)]
pub(crate) struct Options {
    given: Vec<Given>,
    /// What misspelled options were meant to be.
    meant: Vec<Key>,
}

impl Options {
    pub(crate) fn get(&self, key: Key) -> Option<&Given> {
        self.given.iter().find(|given| given.key == key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Given> {
        self.given.iter()
    }

    pub(crate) fn push(&mut self, given: Given) {
        self.given.push(given);
    }

    /// Notes what a misspelled option was meant to be.
    pub(crate) fn meant(&mut self, key: impl IntoIterator<Item = Key>) {
        self.meant.extend(key);
    }

    /// Whether an option is given, be it misspelled or with a wrong value: then its absence is
    /// nothing to complain of.
    pub(crate) fn is_given(&self, key: Key) -> bool {
        self.get(key).is_some() || self.meant.contains(&key)
    }

    /// Whether an option was meant to be given and could not be read: what follows from it is not
    /// known.
    pub(crate) fn is_unclear(&self, key: Key) -> bool {
        match self.value(key) {
            Some(value) => matches!(value, Value::Wrong),
            None => self.meant.contains(&key),
        }
    }

    /// Whether a flag is set.
    pub(crate) fn flag(&self, key: Key) -> bool {
        self.flag_or(key, false)
    }

    /// A flag, or `default` if it is not given.
    pub(crate) fn flag_or(&self, key: Key, default: bool) -> bool {
        match self.value(key) {
            Some(Value::Flag(on)) => *on,
            _ => default,
        }
    }

    pub(crate) fn text(&self, key: Key) -> Option<&LitStr> {
        match self.value(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self, key: Key) -> &[LitStr] {
        match self.value(key) {
            Some(Value::List(texts)) => texts,
            _ => &[],
        }
    }

    pub(crate) fn duration(&self, key: Key) -> Option<Duration> {
        match self.value(key) {
            Some(Value::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    pub(crate) fn int(&self, key: Key) -> Option<u32> {
        match self.value(key) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn krate(&self) -> CratePath {
        match self.value(Key::Crate) {
            Some(Value::Path(path)) => CratePath::new(path.clone()),
            _ => CratePath::default(),
        }
    }

    /// The name of a generated type, or `None` if it is not wanted.
    pub(crate) fn generated(&self, key: Key, service: &Ident, suffix: &str) -> Option<Ident> {
        match self.value(key) {
            Some(Value::Toggle(Toggle::Off)) => None,
            Some(Value::Toggle(Toggle::Named(name))) => Some(name.clone()),
            _ => Some(format_ident!("{service}{suffix}")),
        }
    }

    fn value(&self, key: Key) -> Option<&Value> {
        self.get(key).map(|given| &given.value)
    }
}

/// Whether an attribute holds options: it is called `rpcx`, by whatever path.
pub(crate) fn is_options(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "rpcx")
}

/// Takes the attributes with options out of a list.
pub(crate) fn take(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    let (options, others) = std::mem::take(attributes).into_iter().partition(is_options);
    *attributes = others;
    options
}
