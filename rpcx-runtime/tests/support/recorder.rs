//! A recorder of metrics that keeps sums: of a histogram, how many values there were.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata,
    SharedString, Unit,
};

type Sums = Arc<Mutex<BTreeMap<String, i64>>>;

#[derive(Debug, Default)]
pub(crate) struct Recorder(Sums);

struct One(Sums, String);

impl One {
    fn add(&self, value: i64) {
        *self.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(value.try_into().unwrap());
    }

    fn absolute(&self, _: u64) {
        unreachable!("only increments are used");
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.add(if value > 0.5 { 1 } else { 1_000 });
    }

    fn decrement(&self, value: f64) {
        self.add(if value > 0.5 { -1 } else { 1_000 });
    }

    fn set(&self, _: f64) {
        unreachable!("only changes are used");
    }
}

impl HistogramFn for One {
    fn record(&self, _: f64) {
        self.add(1);
    }
}

impl Recorder {
    pub(crate) fn value(&self, name: &str) -> i64 {
        self.0.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    fn one(&self, key: &Key) -> Arc<One> {
        let labels = key.labels().map(|label| format!(" {}={:?}", label.key(), label.value()));
        let name = format!("{}{}", key.name(), labels.collect::<String>());
        Arc::new(One(Arc::clone(&self.0), name))
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}
