//! Methods that are functions, without a trait.
#![cfg(all(feature = "macros", feature = "json", feature = "gzip"))]

mod support;

use rpcx::protocol::{Compression, Compressor as _, Gzip, Limits, SerializeType};
use rpcx::registry::InProcess;
use rpcx::server::interceptor::{Incoming, Interceptor, Next, Outgoing, Rejection};
use rpcx::{Error, Server};

use support::{Answer, Args, Frame, Raw, Reply, Running, Tester, Text, pack, soon};

fn server() -> Server {
    Server::new()
        .function("Math", "Mul", |context, args: Args| async move {
            context.set_response_metadata("by", format!("{:?}", context.metadata().get("who")));
            Ok(Reply { c: args.a * args.b })
        })
        .function("Math", "Fail", |context, text: Text| async move {
            context.set_response_metadata("by", "Fail");
            Err::<(), _>(Error::service(text.msg))
        })
        .function("Math", "Panic", |_, text: Text| async move {
            assert!(text.msg.is_empty(), "{}", text.msg);
            Ok(())
        })
        .function("Math", "Never", |_, (): ()| std::future::pending::<rpcx::Result<()>>())
        .bytes_function("Raw", "Reverse", |context, payload| async move {
            context.set_response_metadata("codec", context.serialize_type().id().to_string());
            if payload.is_empty() {
                return Err(Error::service("nothing to reverse"));
            }
            Ok(payload.iter().rev().copied().collect())
        })
        .function("Arith", "Twice", |_, args: Args| async move { Ok(Reply { c: 2 * args.a }) })
        .add(Tester::service())
}

fn math(seq: u64, method: &str, arguments: &impl serde::Serialize) -> Frame {
    Frame { path: b"Math".to_vec(), ..Frame::call(seq, method, arguments) }
}

fn with(mut answer: Answer, key: &str, value: &str) -> Answer {
    answer.metadata.insert(key.to_owned(), value.to_owned());
    answer
}

/// Leaves everything as it is.
struct Nothingness;

impl Interceptor for Nothingness {}

/// A server without interceptors and one with.
async fn both() -> [(Running, Raw); 2] {
    let mut both = Vec::new();
    for server in [server(), server().interceptor(Nothingness)] {
        let running = Running::in_memory(server).await;
        let raw = Raw::connect(running.address()).await;
        both.push((running, raw));
    }
    both.try_into().ok().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_function_answers_like_a_method() {
    for (_running, mut raw) in both().await {
        let args = Args { a: 6, b: 7 };
        let frame = math(1, "Mul", &args).metadata("who", "Ada").metadata("__AUTH", "canary");
        let product = Answer::ok(1, pack(&Reply { c: 42 }));
        assert_eq!(raw.call(&frame).await, with(product, "by", r#"Some("Ada")"#));
        let json = Frame { payload: br#"{"A":6,"B":7}"#.to_vec(), ..math(2, "Mul", &args) };
        let answer = raw.call(&json.codec(SerializeType::JSON)).await;
        assert_eq!(answer.result, Ok(br#"{"C":42}"#.to_vec()));
        let failed = with(Answer::error(3, "no"), "by", "Fail");
        assert_eq!(raw.call(&math(3, "Fail", &Text::new("no"))).await, failed);
        let text = raw.call(&math(4, "Panic", &Text::new("canary"))).await.result.unwrap_err();
        assert!(text.starts_with("[service internal error]: the handler panicked, incident "));
        let late = math(5, "Never", &()).metadata("__ServerTimeout", "20");
        assert_eq!(raw.call(&late).await, Answer::error(5, "context deadline exceeded"));
        raw.send(&frame.oneway()).await;
        let broken = Frame { payload: vec![0xc1], ..math(6, "Mul", &args) };
        assert!(raw.call(&broken).await.result.is_err());
        raw.expect_serves().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_of_bytes_has_what_was_sent_whatever_its_codec() {
    for (_running, mut raw) in both().await {
        let call = |seq, payload: &[u8]| Frame {
            path: b"Raw".to_vec(),
            method: b"Reverse".to_vec(),
            payload: payload.to_vec(),
            ..Frame::mul(seq)
        };
        let reversed = |seq, codec| with(Answer::ok(seq, b"cba"), "codec", codec);
        assert_eq!(raw.call(&call(1, b"abc")).await, reversed(1, "3"));
        let unknown = call(2, b"abc").codec(SerializeType::from_id(9));
        assert_eq!(raw.call(&unknown).await, reversed(2, "9"));
        let packed = Gzip::default().compress(b"abc").unwrap();
        assert_eq!(
            raw.call(&call(3, &packed).compressed(Compression::GZIP)).await,
            reversed(3, "3")
        );
        let failed = with(Answer::error(4, "nothing to reverse"), "codec", "3");
        assert_eq!(raw.call(&call(4, b"")).await, failed);
        let large = vec![1; 100_000];
        assert_eq!(raw.call(&call(5, &large)).await.result, Ok(large.clone()));
        let packed = Gzip::default().compress(&large).unwrap();
        raw.send(&call(6, &packed).compressed(Compression::GZIP)).await;
        let message = raw.message().await;
        assert_eq!(message.header().compression(), Compression::GZIP);
        let plain = Gzip::default().decompress(&message.payload(), 1 << 20);
        assert_eq!(plain.unwrap(), large);
        raw.send(&call(7, b"abc").oneway()).await;
        raw.send(&call(8, b"").oneway()).await;
        raw.expect_serves().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_too_large_is_an_error() {
    for (interceptors, values) in [(false, false), (false, true), (true, false), (true, true)] {
        let server = Server::new().limits(Limits::default().max_message(1_000));
        let server = if values {
            server.function("Math", "Big", |_, length: usize| async move { Ok("x".repeat(length)) })
        } else {
            server.bytes_function("Math", "Big", |_, _| async { Ok(vec![b'x'; 2_000].into()) })
        };
        let server = if interceptors { server.interceptor(Nothingness) } else { server };
        let running = Running::in_memory(server).await;
        let mut raw = Raw::connect(running.address()).await;
        let text = raw.call(&math(1, "Big", &2_000)).await.result.unwrap_err();
        assert!(text.ends_with("bytes, the server's limit is 1000"), "{text}");
        assert_eq!(raw.call(&math(2, "Nope", &0)).await.seq, 2, "the connection goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_may_have_functions_beside_its_methods() {
    for (_running, mut raw) in both().await {
        let twice = Frame { method: b"Twice".to_vec(), ..Frame::mul(1) };
        assert_eq!(raw.call(&twice).await, Answer::ok(1, pack(&Reply { c: 12 })));
        assert_eq!(raw.call(&Frame::mul(2)).await, Answer::forty_two(2));
        for (seq, service, method, text) in [
            (3, "Arith", "Nope", "rpcx: can't find method Nope"),
            (4, "Math", "Nope", "rpcx: can't find method Nope"),
            (5, "Math", "", "rpcx: can't find method "),
            (6, "Mat", "Mul", "rpcx: can't find service Mat"),
            (7, "Math2", "Mul", "rpcx: can't find service Math2"),
        ] {
            let frame = Frame { path: service.into(), method: method.into(), ..Frame::mul(seq) };
            assert_eq!(raw.call(&frame).await, Answer::error(seq, text));
        }
    }
}

#[tokio::test]
async fn a_name_that_is_there_already_is_an_error_of_bind() {
    let double = |_, args: Args| async move { Ok(Reply { c: 2 * args.a }) };
    let server =
        Server::new().function("Math", "Double", double).function("Math", "Double", double);
    let server = server.function("Arith", "Mul", double).add(Tester::service());
    let error = server.bind("memory@names").await.unwrap_err();
    let problems = [
        "two functions have the name `Math.Double`",
        "a service has a method of the name `Arith.Mul` already",
    ];
    assert_eq!(error.problems(), problems);
}

#[tokio::test]
async fn a_service_of_functions_is_written_into_the_servers_registry() {
    let bound = server().registry(InProcess::new()).bind("memory@registered").await.unwrap();
    let registrations = bound.registrations();
    let serving = tokio::spawn(bound.serve());
    let names: Vec<_> = registrations.list().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Arith", "Math", "Raw"]);
    serving.abort();
    assert!(soon(serving).await.is_err());
}

/// Writes down what calls are for.
struct Targets(tokio::sync::mpsc::UnboundedSender<String>);

impl Interceptor for Targets {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        self.0.send(format!("{:?}", request.target())).unwrap();
        next.run(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn interceptors_see_functions_by_name() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let running = Running::in_memory(server().interceptor(Targets(sender))).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.call(&math(1, "Mul", &Args { a: 1, b: 1 })).await;
    raw.call(&math(1, "Nope", &Args { a: 1, b: 1 })).await;
    assert_eq!(seen.recv().await.unwrap(), r#"Some(("Math", "Mul"))"#);
    assert_eq!(seen.recv().await.unwrap(), "None");
}
