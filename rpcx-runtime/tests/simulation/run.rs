//! Carries a plan out.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rpcx::Server;
use rpcx::transport::Listener;
use tokio::sync::Notify;
use turmoil::{Builder, Sim};

use crate::callers::{self, Record, Records};
use crate::ledger::{Clerk, LedgerServer, Truth};
use crate::network::SimListener;
use crate::plan::{Event, Plan, Setup, client_name, ms, server_name};
use crate::registry::Flapping;
use crate::trace::Trace;

/// What came of a plan.
pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) records: Vec<Record>,
    pub(crate) truth: Truth,
    pub(crate) events: Vec<String>,
    /// Callers were still waiting long after everything had come back.
    pub(crate) hangs: bool,
}

pub(crate) fn run(plan: &Plan) -> Run {
    // The client's own dice.
    fastrand::seed(plan.seed);
    let trace = Trace::default();
    let truth = Truth::new(trace.clone());
    let records = Records::default();
    let mut sim = Builder::new()
        .rng_seed(plan.seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::from_secs(3_600))
        .min_message_latency(ms(1))
        .max_message_latency(plan.setup.latency)
        .tcp_capacity(4_096)
        .build();
    let (mut signals, mut registries) = (Vec::new(), Vec::new());
    for server in 0..plan.servers {
        let signal = Signals::default();
        signals.push(signal.clone());
        let (truth, setup) = (truth.clone(), plan.setup.clone());
        sim.host(server_name(server), move || {
            serve(server, truth.clone(), signal.clone(), setup.clone())
        });
    }
    for client in 0..plan.clients {
        let registry = Flapping::new();
        registries.push(registry.clone());
        let (trace, records) = (trace.clone(), Arc::clone(&records));
        let calls = callers::call(plan.clone(), client, registry, trace, records);
        sim.client(client_name(client), async {
            calls.await;
            Ok(())
        });
    }
    let driver = Driver { signals, registries, trace: trace.clone() };
    let hangs = driver.drive(plan, &mut sim);
    drop(sim);
    let records = std::mem::take(&mut *records.lock().unwrap_or_else(PoisonError::into_inner));
    let events = trace.take();
    if std::env::var_os("RPCX_SIM_TRACE").is_some() {
        crate::say(&format!("{plan:#?}"));
        for event in &events {
            crate::say(event);
        }
    }
    Run { plan: plan.clone(), records, truth, events, hangs }
}

/// Tells a server what to do.
#[derive(Clone, Default)]
struct Signals {
    /// Let calls finish, and end.
    stop: Arc<Notify>,
    /// End.
    kill: Arc<Notify>,
}

async fn serve(server: usize, truth: Truth, signals: Signals, setup: Setup) -> turmoil::Result {
    let listener = SimListener::bind(&server_name(server), setup.piece).await?;
    let sockets = listener.sockets();
    let service = LedgerServer::new(Clerk { server, truth });
    let server = Server::new().add(service).without_registry().shutdown_timeout(setup.shutdown);
    let bound = server.bind_to(Listener::Own(Box::new(listener)))?;
    let Signals { stop, kill } = signals;
    tokio::select! {
        biased;
        () = kill.notified() => sockets.close(),
        _ = bound.serve_until(async move { stop.notified().await }) => {}
    }
    Ok(())
}

struct Driver {
    signals: Vec<Signals>,
    registries: Vec<Flapping>,
    trace: Trace,
}

impl Driver {
    /// Lets time pass until all callers have ended; tells whether some never did.
    fn drive(&self, plan: &Plan, sim: &mut Sim<'_>) -> bool {
        let mut events = plan.events.iter().peekable();
        let mut starting = Vec::new();
        loop {
            while let Some((_, event)) = events.next_if(|(at, _)| *at <= sim.elapsed()) {
                self.trace.note(sim.elapsed(), format!("{event:?}"));
                self.apply(event, plan, sim, &mut starting);
            }
            if sim.step().expect("no host fails") {
                break;
            }
            // Those who were to end have.
            starting.drain(..).for_each(|server| sim.bounce(server_name(server)));
            if sim.elapsed() > plan.end + LONGEST_CALL {
                return true;
            }
        }
        // What is still on its way may yet run.
        let quiet = sim.elapsed() + ms(300);
        while sim.elapsed() < quiet {
            sim.step().expect("no host fails");
        }
        false
    }

    fn apply(&self, event: &Event, plan: &Plan, sim: &mut Sim<'_>, starting: &mut Vec<usize>) {
        let link = |client: &usize, server: &usize| (client_name(*client), server_name(*server));
        match event {
            Event::Partition { client, server } => {
                let (client, server) = link(client, server);
                sim.partition(client, server);
            }
            Event::Repair { client, server } => {
                let (client, server) = link(client, server);
                sim.repair(client, server);
            }
            Event::Hold { client, server } => {
                let (client, server) = link(client, server);
                sim.hold(client, server);
            }
            Event::Release { client, server } => {
                let (client, server) = link(client, server);
                sim.release(client, server);
            }
            Event::Crash(server) => self.signals[*server].kill.notify_waiters(),
            Event::PowerCut(server) => {
                (0..plan.clients)
                    .for_each(|one| sim.partition(client_name(one), server_name(*server)));
                self.signals[*server].kill.notify_waiters();
            }
            Event::PowerUp(server) => {
                (0..plan.clients)
                    .for_each(|one| sim.repair(client_name(one), server_name(*server)));
                starting.push(*server);
            }
            Event::Start(server) => {
                // One that still lets its calls finish is not there to be started.
                self.signals[*server].kill.notify_waiters();
                starting.push(*server);
            }
            Event::Stop(server) => self.signals[*server].stop.notify_waiters(),
            Event::Latency(slowest) => sim.set_max_message_latency(*slowest),
            Event::Registry(news) => self.registries.iter().for_each(|registry| registry.say(news)),
        }
    }
}

const TICK: Duration = ms(5);
/// More than any call may take that is made when everything has come back.
const LONGEST_CALL: Duration = Duration::from_secs(12);
