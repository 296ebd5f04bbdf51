//! A service inside a function body.

fn main() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local;

    #[rpcx::service(codec = "json")]
    trait Arith {
        async fn mul(&self, a: Local) -> rpcx::Result<Local>;
    }

    struct My;

    impl Arith for My {
        async fn mul(&self, a: Local) -> rpcx::Result<Local> {
            Ok(a)
        }
    }

    let _ = rpcx::Server::new().add(ArithServer::new(My));
}
