#[rpcx::service(mock)]
pub trait Arith {
    async fn len(&self, text: &str) -> rpcx::Result<usize>;
}

fn main() {
    let _ = ArithMock::new().on_len_async(|text| async move { Ok(text.len()) });
}
