#[rpcx::service]
pub trait Users {
    async fn find(&self, #[rpcx(hash_key = "name")] name: String) -> rpcx::Result<i32>;
}

fn main() {}
