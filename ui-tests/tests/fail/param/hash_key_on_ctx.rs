#[rpcx::service]
pub trait Users {
    async fn find(&self, #[rpcx(hash_key)] ctx: &rpcx::Context, name: String) -> rpcx::Result<i32>;
}

fn main() {}
