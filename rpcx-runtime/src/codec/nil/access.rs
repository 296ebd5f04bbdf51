//! The format's side: what is inside a value.

use std::marker::PhantomData;

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::{
    GoCompat, deeper,
    visitor::{CompatVisitor, Unchanged},
};

/// The parts of a value, each read through [`GoCompat`].
pub(super) struct Access<A> {
    inner: A,
    depth: u8,
}

impl<A> Access<A> {
    #[inline]
    pub(super) const fn new(inner: A, depth: u8) -> Self {
        Self { inner, depth }
    }

    #[inline]
    const fn seed<S>(&self, seed: S) -> Seed<S> {
        Seed { seed, depth: self.depth }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Access<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(self.seed(seed))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Access<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_key_seed(self.seed(seed))
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(self.seed(seed))
    }

    #[inline]
    fn next_entry_seed<T: DeserializeSeed<'de>, U: DeserializeSeed<'de>>(
        &mut self,
        key: T,
        value: U,
    ) -> Result<Option<(T::Value, U::Value)>, A::Error> {
        self.inner.next_entry_seed(self.seed(key), self.seed(value))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Access<A> {
    type Error = A::Error;
    type Variant = Access<A::Variant>;

    #[inline]
    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), A::Error> {
        let seed = self.seed(seed);
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, Access::new(variant, self.depth)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Access<A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let depth = deeper(self.depth)?;
        self.inner.newtype_variant_seed(Seed { seed, depth })
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let depth = deeper(self.depth)?;
        self.inner.tuple_variant(len, CompatVisitor::<V, Unchanged>::new(visitor, depth))
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let depth = deeper(self.depth)?;
        self.inner.struct_variant(fields, CompatVisitor::<V, Unchanged>::new(visitor, depth))
    }
}

/// A seed that reads through [`GoCompat`].
struct Seed<S> {
    seed: S,
    depth: u8,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(GoCompat { inner: deserializer, depth: self.depth })
    }
}

/// A sequence or map of nothing.
pub(super) struct Nothing<E>(PhantomData<E>);

impl<E> Nothing<E> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, E: Error> SeqAccess<'de> for Nothing<E> {
    type Error = E;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, E> {
        Ok(None)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(0)
    }
}

impl<'de, E: Error> MapAccess<'de> for Nothing<E> {
    type Error = E;

    #[inline]
    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, E> {
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<T::Value, E> {
        Err(E::custom("value asked for where there is no key"))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(0)
    }
}
