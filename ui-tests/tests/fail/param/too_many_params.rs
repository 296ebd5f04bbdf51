#[rpcx::service]
pub trait Arith {
    async fn mul(
        &self,
        p1: i32,
        p2: i32,
        p3: i32,
        p4: i32,
        p5: i32,
        p6: i32,
        p7: i32,
        p8: i32,
        p9: i32,
        p10: i32,
        p11: i32,
        p12: i32,
        p13: i32,
        p14: i32,
    ) -> rpcx::Result<i32>;
}

fn main() {}
