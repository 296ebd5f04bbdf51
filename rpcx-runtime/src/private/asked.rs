//! Finds out what else a type can do, by method resolution: no bound, no error.
//!
//! `argument::<T>().complete()` is `Asked::complete` for a `T` that is a serde type and a protobuf
//! message, and [`Wire::complete`], one dereference further, for any other. Works where `T` is a
//! concrete type; inside generic code it picks what the generic bounds allow. Methods of the types
//! themselves, not of traits: nothing has to be imported, and the compiler looks no further.

use std::ops::Deref;

use crate::wire::Wire;

/// How the values of a type are written in the family of codecs that was asked for.
#[derive(Debug)]
pub struct Asked<T>(Wire<T>);

impl<T> Asked<T> {
    pub(super) const fn new(wire: Wire<T>) -> Self {
        Self(wire)
    }
}

/// The type is a serde type and a protobuf message: its methods answer both families of codecs.
#[cfg(feature = "protobuf")]
impl<T> Asked<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned + prost::Message + Default + 'static,
{
    pub const fn complete(self) -> Wire<T> {
        self.0.or(Wire::serde()).or(Wire::message())
    }
}

/// Without the feature there is nothing to find out.
#[cfg(not(feature = "protobuf"))]
impl<T> Asked<T> {
    pub const fn complete(self) -> Wire<T> {
        self.0
    }
}

impl<T> Deref for Asked<T> {
    type Target = Wire<T>;

    fn deref(&self) -> &Wire<T> {
        &self.0
    }
}
