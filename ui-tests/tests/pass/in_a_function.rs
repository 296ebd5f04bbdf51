//! A service inside a function body.

fn main() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local;

    #[rpcx::service(codec = "json", dyn, mock)]
    trait Arith {
        async fn mul(&self, a: Local) -> rpcx::Result<Local>;
    }

    struct My;

    impl Arith for My {
        async fn mul(&self, a: Local) -> rpcx::Result<Local> {
            Ok(a)
        }
    }

    let _ = ArithMock::new();
    let _ = rpcx::Server::new().add(ArithServer::new(Box::new(My) as Box<dyn DynArith>));
}
