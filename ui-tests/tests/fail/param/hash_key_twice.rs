#[rpcx::service(select = "consistent_hash")]
pub trait Users {
    async fn find(&self, #[rpcx(hash_key)] tenant: u32, #[rpcx(hash_key)] name: String) -> rpcx::Result<i32>;
}

fn main() {}
