//! The editions of Rust that services may be written in: the programs of `pass`, compiled in the older
//! ones.

use std::fs;

mod support;

use support::{Package, here};

const DEPENDENCIES: &str = r#"
rpcx-runtime = { path = "RUNTIME" }
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["macros", "rt"] }
"#;

#[test]
fn services_compile_in_older_editions() {
    for edition in ["2018", "2021"] {
        let mut package = Package::new("editions", edition, DEPENDENCIES);
        for entry in fs::read_dir(here().join("tests/pass")).expect("the programs are there") {
            let path = entry.expect("it can be read").path();
            let text = fs::read_to_string(&path).expect("a program");
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            package = package.source(&format!("bin/{name}"), &text);
        }
        if let Err(errors) = package.cargo(&["check", "--quiet", "--bins"]) {
            panic!("edition {edition}:\n{errors}");
        }
    }
}
