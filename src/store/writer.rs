//! The one thread that writes: gathers what waits, commits it together, and only then answers.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::Error;
use super::backend::Filter;
use super::durable::{BATCH, Durable};
use super::handle::{Away, Order, Unrecordable, Whose};
use crate::receipt::{Entry, Reason, Receipt};
use crate::telemetry::{self, Brake};

/// Between two looks for receipts that are too old.
const PURGE: Duration = Duration::from_secs(3600);
/// What a visitor is shown of their own receipts: the newest.
const SHOWN: usize = 1000;

/// State of the thread.
pub(super) struct Writer {
    durable: Durable,
    retention: Duration,
    purge_at: Instant,
    /// Lines on receipts that cannot be kept: one a choice otherwise.
    brake: Brake,
}

impl Writer {
    pub(super) fn new(durable: Durable, retention: Duration) -> Self {
        Self { durable, retention, purge_at: Instant::now(), brake: Brake::default() }
    }

    /// Works until told to stop, and then through all that was asked before.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Order>, mut stop: oneshot::Receiver<()>) {
        let mut next = None;
        loop {
            self.housekeep();
            let order = match next.take() {
                Some(order) => Some(order),
                None => tokio::select! {
                    biased;
                    _ = &mut stop, if !queue.is_closed() => {
                        queue.close();
                        continue;
                    }
                    order = timeout_at(self.wake(), queue.recv()) => match order {
                        Ok(order) => order,
                        Err(_) => continue,
                    },
                },
            };
            match order {
                Some(Order::Append(entry, done)) => next = self.append_all(entry, done, &mut queue),
                Some(Order::History(whose, done)) => {
                    let _ = done.send(self.history(&whose).map_err(|error| Away(error.to_string())));
                }
                Some(Order::Erase(whose, done)) => {
                    let _ = done.send(self.erase(&whose).map_err(|error| Away(error.to_string())));
                }
                None => break,
            }
        }
        if let Some(head) = self.durable.head() {
            // A log that leaves this machine is one more place where the end of the chain is written down.
            tracing::info!(chain = %head.chain, records = head.next, head = %head.hash, "Receipts are closed.");
        }
    }

    /// When there is something to do without being asked.
    fn wake(&self) -> Instant {
        self.durable.retry_at().map_or(self.purge_at, |retry| retry.min(self.purge_at))
    }

    /// Appends this and all that waits behind it; gives back the first order of another kind.
    fn append_all(
        &mut self,
        entry: Entry,
        done: oneshot::Sender<Result<(), Unrecordable>>,
        queue: &mut mpsc::Receiver<Order>,
    ) -> Option<Order> {
        let (mut entries, mut waiting, mut other) = (vec![entry], vec![done], None);
        while entries.len() < BATCH {
            match queue.try_recv() {
                // Whoever went away was not told of success, and will ask again.
                Ok(Order::Append(_, done)) if done.is_closed() => {}
                Ok(Order::Append(entry, done)) => {
                    entries.push(entry);
                    waiting.push(done);
                }
                Ok(order) => {
                    other = Some(order);
                    break;
                }
                Err(_) => break,
            }
        }
        let kept = self.durable.keep(&entries);
        if let Err(error) = &kept
            && let Some(suppressed) = self.brake.pass(telemetry::now())
        {
            let receipts = entries.len();
            tracing::error!(%error, receipts, suppressed, "No consent is taken until receipts can be kept again.");
        }
        for done in waiting {
            let _ = done.send(kept.clone());
        }
        other
    }

    fn history(&mut self, whose: &Whose) -> Result<Vec<Receipt>, Error> {
        let mut found = VecDeque::new();
        self.durable.ready()?.each(&whose.filter(), &mut |receipt| {
            found.truncate(SHOWN - 1);
            found.push_front(receipt);
            Ok(())
        })?;
        Ok(found.into_iter().rev().collect())
    }

    fn erase(&mut self, whose: &Whose) -> Result<u64, Error> {
        let filter = whose.filter();
        self.durable.change(|store| store.erase(&filter, Reason::Visitor, telemetry::now()))
    }

    /// What is due without being asked: a store that may be back, receipts that are too old.
    fn housekeep(&mut self) {
        let now = Instant::now();
        self.durable.retry(now);
        if self.purge_at > now {
            return;
        }
        self.purge_at = now + PURGE;
        let today = telemetry::now();
        let before = today.before(self.retention.as_secs());
        match self.durable.change(|store| store.purge(before, today)) {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "Records past their retention were purged."),
            Err(error) => tracing::warn!(%error, "Records past their retention could not be purged."),
        }
    }
}

impl Whose {
    fn filter(&self) -> Filter {
        Filter { site: Some(self.site.clone()), consent: Some(self.consent), ..Filter::default() }
    }
}
