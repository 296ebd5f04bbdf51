#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

struct My(i32);

impl Arith for My {
    async fn mul(&mut self, a: i32) -> rpcx::Result<i32> {
        self.0 += a;
        Ok(self.0)
    }
}

fn main() {}
