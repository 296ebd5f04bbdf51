//! A method under a false condition is nowhere, and its types need not exist.

use rpcx::__private::Service;

#[rpcx::service]
pub trait Arith {
    #[cfg(any())]
    async fn gone(&self, a: Missing) -> rpcx::Result<Missing>;

    async fn mul(&self, a: i32) -> rpcx::Result<i32>;

    #[cfg(all())]
    async fn add(&self, a: i32) -> rpcx::Result<i32>;

    #[cfg(not(all()))]
    async fn add(&self, a: String) -> rpcx::Result<String>;

    #[cfg(any())]
    #[rpcx(local)]
    async fn nowhere(&self) {}

    #[cfg_attr(all(), doc = "Divides.")]
    async fn div(&self, a: i32) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn add(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn div(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

fn main() {
    let server = ArithServer::new(My);
    let names: Vec<_> = server.methods().iter().map(|method| method.name()).collect();
    assert_eq!(names, ["Mul", "Add", "Div"]);
    assert_eq!(server.resolve(b"Gone"), None);
    assert_eq!(server.resolve(b"Mul"), Some(0));
    assert_eq!(server.resolve(b"Add"), Some(1));
    assert_eq!(server.resolve(b"Div"), Some(2));
}
