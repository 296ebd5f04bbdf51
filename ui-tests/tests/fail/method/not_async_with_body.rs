#[rpcx::service]
pub trait Arith {
    fn twice(&self, a: i32) -> i32 {
        a * 2
    }

    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
