#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, Args { a }: Args) -> rpcx::Result<i32> {
        Ok(a)
    }
}

fn main() {}
