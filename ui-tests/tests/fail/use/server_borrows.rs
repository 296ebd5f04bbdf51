#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

struct My<'a>(&'a str);

impl Arith for My<'_> {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

fn main() {
    let text = String::from("a");
    drop(rpcx::Server::new().add(ArithServer::new(My(&text))));
}
