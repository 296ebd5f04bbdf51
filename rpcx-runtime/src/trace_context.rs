//! Which trace a call belongs to: the W3C's Trace Context, level 1, carried in metadata.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::metadata::Metadata;

/// The place of a call in a distributed trace: the W3C's `traceparent` and `tracestate`.
///
/// Calls carry it in metadata keys of these names, as those of Go's OpenTelemetry plugins do.
///
/// ```
/// use rpcx::TraceContext;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let caller = TraceContext::parse(text, None).unwrap();
/// assert!(caller.is_sampled());
/// assert_eq!(caller.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(caller.traceparent(), text);
///
/// let own = caller.child();
/// assert_eq!(own.trace_id(), caller.trace_id());
/// assert_ne!(own.span_id(), caller.span_id());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
    state: Option<Arc<str>>,
}

/// The number of a trace; never 0. Its text is 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TraceId(u128);

/// The number of a span, one part of a trace; never 0. Its text is 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SpanId(u64);

tokio::task_local! {
    static CURRENT: TraceContext;
}

impl TraceContext {
    /// Puts one together; `None` if one of the numbers is 0.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) -> Option<Self> {
        let (trace_id, span_id) = (u128::from_be_bytes(trace_id), u64::from_be_bytes(span_id));
        let is_valid = trace_id != 0 && span_id != 0;
        let (trace_id, span_id) = (TraceId(trace_id), SpanId(span_id));
        is_valid.then_some(Self { trace_id, span_id, flags: u8::from(sampled), state: None })
    }

    /// Begins a trace, with random numbers.
    pub fn root(sampled: bool) -> Self {
        let trace_id = TraceId(fastrand::u128(1..));
        Self { trace_id, span_id: SpanId::random(), flags: u8::from(sampled), state: None }
    }

    /// Makes a further span in the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: SpanId::random(), ..self.clone() }
    }

    /// Reads the two texts.
    ///
    /// `None` if the first is not as the W3C's recommendation says: lower case, of the right length, no
    /// number 0. A later version than 00 is read as far as 00 goes. If the second is wrong it is left out.
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let bytes = traceparent.as_bytes();
        let (head, rest) = bytes.split_at_checked(LEN)?;
        let version = hex(head.get(..2)?)?;
        let is_long_enough = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with(b"-"),
        };
        let dashes = [2, 35, 52].iter().all(|at| head.get(*at) == Some(&b'-'));
        let trace_id = hex(head.get(3..35)?)?;
        let span_id = u64::try_from(hex(head.get(36..52)?)?).ok()?;
        let flags = u8::try_from(hex(head.get(53..)?)?).ok()?;
        // Further flags are of versions that are not known here.
        let flags = flags & SAMPLED;
        let is_valid = is_long_enough && dashes && trace_id != 0 && span_id != 0;
        let state = tracestate.and_then(state);
        let (trace_id, span_id) = (TraceId(trace_id), SpanId(span_id));
        is_valid.then_some(Self { trace_id, span_id, flags, state })
    }

    /// Reads it from metadata.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        Self::parse(metadata.get(TRACEPARENT)?, metadata.get(TRACESTATE))
    }

    /// Writes it into metadata, in place of what is there.
    pub fn write(&self, metadata: &mut Metadata) {
        metadata.insert(TRACEPARENT, self.traceparent());
        match &self.state {
            Some(state) => metadata.insert(TRACESTATE, &**state),
            None => metadata.remove(TRACESTATE),
        };
    }

    /// Gives the text of the key `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// Gives the text of the key `tracestate`: what tracing systems tell each other.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Gives the number of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Gives the number of the span.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Tells whether whoever began the trace asks for it to be recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Gives that of the call that this task serves; `None` elsewhere, also in tasks that it starts.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Lets it be the [current](Self::current) one for a future: for a task that a handler starts.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self, future)
    }
}

impl TraceId {
    /// Gives it as the bytes that other systems take.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl SpanId {
    fn random() -> Self {
        Self(fastrand::u64(1..))
    }

    /// Gives it as the bytes that other systems take.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Reads hexadecimal digits, lower case alone.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

/// Keeps a state if it is a list as the recommendation has it, of bounded length.
fn state(text: &str) -> Option<Arc<str>> {
    let mut keys = Vec::new();
    for member in text.split(',') {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        let is_new = !keys.contains(&key);
        if !is_new || !is_key(key) || !is_value(value) {
            return None;
        }
        keys.push(key);
    }
    let is_list = (1..=MEMBERS).contains(&keys.len()) && text.len() <= STATE;
    is_list.then(|| text.into())
}

fn is_key(key: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str, most: usize| {
        let others = |byte: u8| is_one(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/');
        part.len() <= most && part.bytes().next().is_some_and(is_one) && part.bytes().all(others)
    };
    match key.split_once('@') {
        Some((tenant, system)) => is_part(tenant, 241) && is_part(system, 14),
        None => is_part(key, 256),
    }
}

fn is_value(value: &str) -> bool {
    let is_one = |byte| matches!(byte, b' '..=b'~') && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(is_one)
}

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// Length of a `traceparent` of version 00, in bytes.
const LEN: usize = 55;
const SAMPLED: u8 = 1;
/// The recommendation: at most so many members of a state.
const MEMBERS: usize = 32;
/// At least 512 bytes have to be passed on; more is nothing but a burden on every call.
const STATE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Option<String> {
        TraceContext::parse(text, None).map(|context| context.traceparent())
    }

    #[test]
    fn what_is_valid_is_read_and_written_again() {
        for text in [PARENT, "00-00000000000000000000000000000001-0000000000000001-00"] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
        // Unknown flags are dropped.
        let flags = PARENT.replace("-01", "-ff");
        assert_eq!(read(&flags).as_deref(), Some(PARENT));
        // Of a later version what 00 has is read.
        for tail in ["", "-", "-what-the-future-will-be-like"] {
            let later = format!("cc{}{tail}", &PARENT[2..]);
            assert_eq!(read(&later).as_deref(), Some(PARENT), "{later}");
        }
    }

    /// Wrong in the ways that the W3C's own test suite tries.
    #[test]
    fn what_is_wrong_is_nothing() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let wrong = [
            String::new(),
            PARENT[..54].to_owned(),
            format!("{PARENT}-"),
            format!("{PARENT}-extra"),
            format!("{PARENT}0"),
            format!(" {PARENT}"),
            format!("ff{}", &PARENT[2..]),
            format!("0{}", &PARENT[1..54]),
            format!("0.{}", &PARENT[2..]),
            format!("cc{}.tail", &PARENT[2..]),
            format!("cc{}1", &PARENT[2..]),
            PARENT.replace(id, &id.to_uppercase()),
            PARENT.replace(id, &"0".repeat(32)),
            PARENT.replace(id, &id.replace('4', "g")),
            PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            PARENT.replace("00f067aa0ba902b7", "00F067AA0BA902B7"),
            PARENT.replace("00f067aa0ba902b7", "00f067aa0ba902b."),
            PARENT.replace("-01", "-0g"),
            PARENT.replace("-01", "-0A"),
            PARENT.replace('-', "_"),
            PARENT.replacen("4bf9", "é", 1),
        ];
        for text in wrong {
            assert_eq!(read(&text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_not_and_what_is_written_is_read(
            parent in ".{0,60}",
            state in ".{0,60}",
            trace_id in 1..=u128::MAX,
            span_id in 1..=u64::MAX,
            sampled: bool,
        ) {
            let _ = TraceContext::parse(&parent, Some(&state));
            let bytes = (trace_id.to_be_bytes(), span_id.to_be_bytes());
            let made = TraceContext::new(bytes.0, bytes.1, sampled).unwrap();
            proptest::prop_assert_eq!(TraceContext::parse(&made.traceparent(), None), Some(made));
        }
    }

    #[test]
    fn a_state_is_kept_as_it_is_or_left_out() {
        let kept = |text: &str| {
            let context = TraceContext::parse(PARENT, Some(text)).unwrap();
            context.tracestate().map(str::to_owned)
        };
        let many = |count: u32| {
            let members: Vec<_> = (0..count).map(|n| format!("k{n}=v")).collect();
            members.join(",")
        };
        let longest = format!("{}@{}={}", "t".repeat(241), "s".repeat(14), "v".repeat(256));
        let good =
            ["a=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1 , b=2\t,,c=x y", "0@a=!"];
        for text in good.into_iter().map(str::to_owned).chain([many(32), longest]) {
            assert_eq!(kept(&text).as_deref(), Some(&*text));
        }
        let too_long = format!("a={},b={0},c={0},d={0},e={0}", "v".repeat(256));
        let bad =
            ["", ",", "a", "a=", "=1", "A=1", "a=1,a=2", "a b=1", "a@=1", "@a=1", "a=b=c", "a=é"];
        let long_key = format!("{}=1", "k".repeat(257));
        let bad = bad.into_iter().map(str::to_owned).chain([many(33), too_long, long_key]);
        for text in bad {
            assert_eq!(kept(&text), None, "{text:?}");
        }
    }

    #[test]
    fn metadata_carry_it() {
        let mut metadata: Metadata = [("tracestate", "old=1")].into_iter().collect();
        assert_eq!(TraceContext::of(&metadata), None);
        let root = TraceContext::root(false);
        root.write(&mut metadata);
        assert_eq!(metadata.len(), 1);
        assert_eq!(TraceContext::of(&metadata), Some(root.clone()));
        let stated = TraceContext::parse(&root.child().traceparent(), Some("a=1")).unwrap();
        stated.write(&mut metadata);
        assert_eq!(TraceContext::of(&metadata), Some(stated));
    }

    #[test]
    fn numbers_are_never_zero() {
        assert_eq!(TraceContext::new([0; 16], [1; 8], true), None);
        assert_eq!(TraceContext::new([1; 16], [0; 8], true), None);
        let context = TraceContext::new([1; 16], [2; 8], true).unwrap();
        assert_eq!(
            (context.trace_id().to_bytes(), context.span_id().to_bytes()),
            ([1; 16], [2; 8])
        );
        assert!(context.is_sampled());
    }

    #[tokio::test]
    async fn it_is_current_within_its_scope_alone() {
        assert_eq!(TraceContext::current(), None);
        let context = TraceContext::root(true);
        let seen = context.clone().scope(async { TraceContext::current() }).await;
        assert_eq!(seen, Some(context));
        assert_eq!(TraceContext::current(), None);
    }
}
