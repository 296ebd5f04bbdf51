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
    async fn mul(&self, args: Args) -> rpcx::Result<i32> {
        let a = std::rc::Rc::new(args.a);
        std::future::ready(()).await;
        Ok(*a)
    }
}

fn main() {}
