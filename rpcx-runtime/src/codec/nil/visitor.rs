//! The visitor's side: what a type sees of the value.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{EnumAccess, Error, MapAccess, SeqAccess, Visitor},
};

use super::{
    GoCompat,
    access::{Access, Nothing},
    deeper,
};

/// What a type asked for, and so what nil stands for.
pub(super) trait Kind {
    /// The value where the payload has nil.
    fn nil<'de, V: Visitor<'de>, E: Error>(visitor: V) -> Result<V::Value, E>;

    /// The value where it has not.
    fn some<'de, V, D>(visitor: V, deserializer: D, depth: u8) -> Result<V::Value, D::Error>
    where
        V: Visitor<'de>,
        D: Deserializer<'de>;

    /// The value of a unit, which is how some formats hand over nil.
    #[inline]
    fn unit<'de, V: Visitor<'de>, E: Error>(visitor: V) -> Result<V::Value, E> {
        Self::nil(visitor)
    }
}

/// No sequence, map or bytes: nil stays what it is.
pub(super) struct Unchanged;

impl Kind for Unchanged {
    #[inline]
    fn nil<'de, V: Visitor<'de>, E: Error>(visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    #[inline]
    fn some<'de, V, D>(visitor: V, deserializer: D, depth: u8) -> Result<V::Value, D::Error>
    where
        V: Visitor<'de>,
        D: Deserializer<'de>,
    {
        visitor.visit_some(GoCompat { inner: deserializer, depth })
    }

    #[inline]
    fn unit<'de, V: Visitor<'de>, E: Error>(visitor: V) -> Result<V::Value, E> {
        visitor.visit_unit()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $method:ident, $visit:ident($nil:expr);)*) => {
        $($(#[$doc])*
        pub(super) struct $kind;

        impl Kind for $kind {
            #[inline]
            fn nil<'de, V: Visitor<'de>, E: Error>(visitor: V) -> Result<V::Value, E> {
                visitor.$visit($nil)
            }

            #[inline]
            fn some<'de, V, D>(visitor: V, deserializer: D, depth: u8) -> Result<V::Value, D::Error>
            where
                V: Visitor<'de>,
                D: Deserializer<'de>,
            {
                deserializer.$method(CompatVisitor::<V, Self>::new(visitor, depth))
            }
        })*
    };
}

kinds! {
    /// A sequence: nil has no elements.
    AsSeq: deserialize_seq, visit_seq(Nothing::new());
    /// A map: nil has no entries.
    AsMap: deserialize_map, visit_map(Nothing::new());
    /// Bytes: nil has none.
    AsBytes: deserialize_bytes, visit_borrowed_bytes(&[]);
    /// Bytes to own: nil has none.
    AsBuffer: deserialize_byte_buf, visit_byte_buf(Vec::new());
}

/// A type's visitor, shown nil as `K` says and every nested value through [`GoCompat`].
pub(super) struct CompatVisitor<V, K> {
    visitor: V,
    depth: u8,
    kind: PhantomData<K>,
}

impl<V, K> CompatVisitor<V, K> {
    #[inline]
    pub(super) const fn new(visitor: V, depth: u8) -> Self {
        Self { visitor, depth, kind: PhantomData }
    }
}

macro_rules! pass {
    ($($method:ident($type:ty))*) => {
        $(#[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>, K: Kind> Visitor<'de> for CompatVisitor<V, K> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    pass! {
        visit_bool(bool)
        visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_f32(f32) visit_f64(f64)
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        K::nil(self.visitor)
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        K::unit(self.visitor)
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        K::some(self.visitor, deserializer, self.depth)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(GoCompat { inner: deserializer, depth: self.depth })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Access::new(access, deeper(self.depth)?))
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Access::new(access, deeper(self.depth)?))
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Access::new(access, self.depth))
    }
}
