pub struct Calculator;

#[rpcx::service]
impl Calculator {
    pub async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

fn main() {}
