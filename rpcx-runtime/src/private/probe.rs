//! Finds out what else a type can do, by method resolution: no bound, no error.
//!
//! `(&&Probe::<T>::new()).complete(wire)` picks [`Both`] for a `T` that is a serde type and a
//! protobuf message, and [`Neither`] for any other. Works where `T` is a concrete type; inside
//! generic code it picks what the generic bounds allow.

use std::marker::PhantomData;

use crate::wire::Wire;

#[derive(Debug)]
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The type is a serde type and a protobuf message: its methods answer both families of codecs.
pub trait Both<T> {
    #[must_use]
    fn complete(&self, wire: Wire<T>) -> Wire<T>;
}

#[cfg(feature = "protobuf")]
impl<T> Both<T> for &Probe<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned + prost::Message + Default + 'static,
{
    fn complete(&self, wire: Wire<T>) -> Wire<T> {
        wire.or(Wire::serde()).or(Wire::message())
    }
}

/// Nothing more is known.
pub trait Neither<T> {
    #[must_use]
    fn complete(&self, wire: Wire<T>) -> Wire<T>;
}

impl<T> Neither<T> for Probe<T> {
    fn complete(&self, wire: Wire<T>) -> Wire<T> {
        wire
    }
}
