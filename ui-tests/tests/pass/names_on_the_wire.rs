//! Wire names: the rules, the overrides and the aliases.

use rpcx::__private::Service;

macro_rules! names {
    ($module:ident, $case:literal, $names:expr) => {
        mod $module {
            #[rpcx::service(rename_all = $case)]
            pub trait Arith {
                async fn mul(&self) -> rpcx::Result<()>;
                async fn get_user(&self) -> rpcx::Result<()>;
                async fn r#type(&self) -> rpcx::Result<()>;
                #[rpcx(name = "as-is", alias = ["one", "two"])]
                async fn named(&self) -> rpcx::Result<()>;
            }

            impl Arith for super::My {
                async fn mul(&self) -> rpcx::Result<()> {
                    Ok(())
                }
                async fn get_user(&self) -> rpcx::Result<()> {
                    Ok(())
                }
                async fn r#type(&self) -> rpcx::Result<()> {
                    Ok(())
                }
                async fn named(&self) -> rpcx::Result<()> {
                    Ok(())
                }
            }

            pub fn check() {
                use super::Service;
                let server = ArithServer::new(super::My);
                assert_eq!(server.info().name(), "Arith");
                let names: Vec<_> = server.methods().iter().map(|method| method.name()).collect();
                assert_eq!(names, $names);
                assert_eq!(server.resolve(b"as-is"), Some(3));
                assert_eq!(server.resolve(b"one"), Some(3));
                assert_eq!(server.resolve(b"two"), Some(3));
                assert_eq!(server.resolve(b"named"), None);
            }
        }
    };
}

struct My;

names!(pascal, "PascalCase", ["Mul", "GetUser", "Type", "as-is"]);
names!(camel, "camelCase", ["mul", "getUser", "type", "as-is"]);
names!(snake, "snake_case", ["mul", "get_user", "type", "as-is"]);
names!(verbatim, "verbatim", ["mul", "get_user", "type", "as-is"]);

fn main() {
    pascal::check();
    camel::check();
    snake::check();
    verbatim::check();
}
