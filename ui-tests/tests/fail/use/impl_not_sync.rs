#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, args: Args) -> rpcx::Result<i32>;
}

struct My(std::cell::Cell<i32>);

impl Arith for My {
    async fn mul(&self, args: Args) -> rpcx::Result<i32> {
        Ok(self.0.get() + args.a)
    }
}

fn main() {}
