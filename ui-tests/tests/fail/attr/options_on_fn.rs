use rpcx::rpcx;

#[rpcx(name = "Mul")]
pub async fn mul(a: i32) -> rpcx::Result<i32> {
    Ok(a)
}

fn main() {
    drop(mul(1));
}
