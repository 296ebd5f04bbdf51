//! Default bodies are async, may be overridden, and may call other methods.

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;

    async fn square(&self, a: i32) -> rpcx::Result<i32> {
        if a == 0 {
            return Ok(0);
        }
        self.mul(a, a).await
    }

    async fn sum(&self, mut numbers: Vec<i32>, text: &str) -> rpcx::Result<i32> {
        numbers.push(text.len() as i32);
        let mut sum = 0;
        for number in numbers {
            sum += self.mul(number, 1).await?;
        }
        Ok(sum)
    }

    #[rpcx(local)]
    async fn cube(&self, a: i32) -> rpcx::Result<i32> {
        let square = self.square(a).await?;
        self.mul(square, a).await
    }

    #[rpcx(local)]
    fn zero(&self) -> i32 {
        0
    }

    #[rpcx(local)]
    fn generic<T: Into<i32>>(value: T) -> i32
    where
        Self: Sized,
    {
        value.into()
    }
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a * b)
    }
}

async fn remote(client: ArithClient) -> rpcx::Result<i32> {
    client.square(2).await?;
    client.cube(client.zero() + ArithClient::generic(3_u8)).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> rpcx::Result<()> {
    let _ = remote;
    assert_eq!(My.square(3).await?, 9);
    assert_eq!(My.sum(vec![1, 2], "abc").await?, 6);
    assert_eq!(My.cube(2).await?, 8);
    assert_eq!(My.zero(), 0);
    Ok(())
}
