#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, args: Args) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, args: i32) -> rpcx::Result<i32> {
        Ok(args)
    }
}

fn main() {}
