//! The first answer after a registry came back is not believed too quickly.

use std::time::Duration;

use tokio::time::Instant;

use crate::instance::Instance;

/// Holds servers back that a registry no longer names right after it came back.
///
/// A registry that was restarted, perhaps without its data, first names nobody: its servers need a
/// moment to register again. Until a grace time is over, servers that were known stay; new ones are
/// added at once. A registry that hung first names everybody, then ends the sessions that ran out
/// meanwhile: deletions of its first seconds are not believed either. On a watch that has been healthy
/// for longer, a deletion counts at once.
#[derive(Debug)]
pub(crate) struct HoldBack {
    grace: Duration,
    /// What was last known before the registry went away.
    known: Vec<Instance>,
    /// What the registry says now.
    named: Vec<Instance>,
    until: Option<Instant>,
    fresh: bool,
    /// Until when deletions are not believed.
    settled: Option<Instant>,
}

impl HoldBack {
    pub(crate) fn new(grace: Duration) -> Self {
        let (known, named) = (Vec::new(), Vec::new());
        Self { grace, known, named, until: None, fresh: true, settled: None }
    }

    /// Notes that the registry went away: what it says next is its first answer.
    pub(crate) fn lost(&mut self) {
        self.known = self.current();
        self.fresh = true;
        self.until = None;
    }

    /// Takes what the registry says; gives the list to use.
    pub(crate) fn answer(&mut self, named: Vec<Instance>) -> Vec<Instance> {
        self.named = named;
        let now = Instant::now();
        if std::mem::take(&mut self.fresh) {
            self.settled = Some(now + SETTLING);
        }
        if self.missing().next().is_none() {
            self.until = None;
        } else if self.settled.is_some_and(|settled| now < settled) {
            self.until.get_or_insert(now + self.grace);
        }
        self.current()
    }

    /// Gives when [`expire`](Self::expire) is due.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Ends the grace time; gives the list to use.
    pub(crate) fn expire(&mut self) -> Vec<Instance> {
        self.until = None;
        self.settled = None;
        self.current()
    }

    fn current(&self) -> Vec<Instance> {
        let held = self.missing().filter(|_| self.until.is_some()).cloned();
        self.named.iter().cloned().chain(held).collect()
    }

    /// The servers that were known and are not named any more.
    fn missing(&self) -> impl Iterator<Item = &Instance> {
        let named =
            |known: &&Instance| self.named.iter().any(|now| now.address() == known.address());
        self.known.iter().filter(move |known| !named(known))
    }
}

/// For how long after a registry came back deletions are not believed.
const SETTLING: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(names: &[&str]) -> Vec<Instance> {
        names.iter().map(|name| Instance::new(format!("memory@{name}").parse().unwrap())).collect()
    }

    fn names(instances: &[Instance]) -> Vec<String> {
        instances.iter().map(|instance| instance.address().target().to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_deletion_on_a_healthy_watch_counts_at_once() {
        let mut list = HoldBack::new(Duration::from_secs(15));
        assert_eq!(names(&list.answer(servers(&["a", "b"]))), ["a", "b"]);
        assert_eq!(names(&list.answer(servers(&["b"]))), ["b"]);
        assert_eq!(list.until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_first_answer_is_held_back() {
        let mut list = HoldBack::new(Duration::from_secs(15));
        list.answer(servers(&["a", "b"]));
        list.lost();
        assert_eq!(names(&list.answer(servers(&[]))), ["a", "b"]);
        assert_eq!(list.until(), Some(Instant::now() + Duration::from_secs(15)));
        assert_eq!(names(&list.expire()), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn servers_that_come_back_end_the_grace_time() {
        let mut list = HoldBack::new(Duration::from_secs(15));
        list.answer(servers(&["a", "b"]));
        list.lost();
        list.answer(servers(&[]));
        assert_eq!(names(&list.answer(servers(&["b", "c"]))), ["b", "c", "a"]);
        assert_eq!(names(&list.answer(servers(&["a", "b", "c"]))), ["a", "b", "c"]);
        assert_eq!(list.until(), None);
        tokio::time::advance(SETTLING).await;
        assert_eq!(names(&list.answer(servers(&["c"]))), ["c"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deletion_soon_after_the_first_answer_is_held_back() {
        let mut list = HoldBack::new(Duration::from_secs(15));
        list.answer(servers(&["a"]));
        list.lost();
        assert_eq!(names(&list.answer(servers(&["a", "b"]))), ["a", "b"]);
        tokio::time::advance(SETTLING.saturating_sub(Duration::from_millis(1))).await;
        assert_eq!(names(&list.answer(servers(&[]))), ["a"]);
        assert_eq!(list.until(), Some(Instant::now() + Duration::from_secs(15)));
        assert_eq!(names(&list.expire()), Vec::<String>::new());
        assert_eq!(names(&list.answer(servers(&[]))), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_loss_keeps_what_was_held() {
        let mut list = HoldBack::new(Duration::from_secs(15));
        list.answer(servers(&["a"]));
        list.lost();
        list.answer(servers(&[]));
        list.lost();
        assert_eq!(names(&list.answer(servers(&[]))), ["a"]);
    }
}
