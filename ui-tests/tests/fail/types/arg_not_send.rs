use std::rc::Rc;

#[derive(Clone)]
pub struct Shared(Rc<i32>);

impl serde::Serialize for Shared {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(*self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Shared {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i32::deserialize(deserializer).map(|number| Self(Rc::new(number)))
    }
}

#[rpcx::service(client_trait = false)]
pub trait Arith {
    async fn mul(&self, a: Shared) -> rpcx::Result<i32>;
}

fn main() {}
