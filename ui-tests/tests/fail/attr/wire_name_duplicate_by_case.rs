#[rpcx::service]
#[expect(non_snake_case)]
pub trait Arith {
    async fn get_user(&self, a: i32) -> rpcx::Result<i32>;
    async fn getUser(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
