//! The one thread that writes: gathers what waits, commits it together, and only then answers.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::anchor::Anchor;
use super::backend::{Backend, Filter};
use super::handle::{Away, Order, Stats, Unrecordable, Whose};
use super::spool::{Spool, SpoolError};
use super::{Error, Place, random};
use crate::config;
use crate::receipt::{ChainId, Entry, Head, Reason, Receipt};
use crate::telemetry::{self, Brake};

/// Opens the store, also again after it failed.
pub type Opener = Box<dyn FnMut() -> Result<Box<dyn Backend>, Error> + Send>;

/// Receipts in one transaction.
const BATCH: usize = 256;
/// How long the lock of another process is waited for before the spool takes over.
pub(super) const LOCKED: Duration = Duration::from_millis(500);
/// How long a database over the network may take for one step.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries of a store that is away.
const RETRY: Duration = Duration::from_secs(1);
/// Between two looks for receipts that are too old.
const PURGE: Duration = Duration::from_secs(3600);
/// What a visitor is shown of their own receipts: the newest.
const SHOWN: usize = 1000;

/// State of the thread.
pub(super) struct Writer {
    open: Opener,
    store: Option<Box<dyn Backend>>,
    /// When the store may be tried again; `None` while it works.
    away: Option<Instant>,
    spool: Spool,
    anchor: Anchor,
    /// Which chain is ours.
    chain: ChainId,
    retention: Duration,
    purge_at: Instant,
    stats: Arc<Stats>,
    /// Lines on receipts that cannot be kept: one a choice otherwise.
    brake: Brake,
}

impl Writer {
    pub(super) fn new(
        mut open: Opener,
        place: &Place,
        settings: &config::Receipts,
        stats: Arc<Stats>,
    ) -> Result<Self, Error> {
        let anchor = Anchor::at(&place.anchor);
        let chain = match anchor.read()? {
            Some(head) => head.chain,
            None => new_chain(&anchor)?,
        };
        let now = Instant::now();
        let (store, away) = match open() {
            Ok(store) => (Some(store), None),
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "The store of receipts is away; receipts wait in the spool.");
                (None, Some(now + RETRY))
            }
            Err(error) => return Err(error),
        };
        let spool = Spool::at(&place.spool, settings.spool);
        stats.away.store(away.is_some(), Relaxed);
        let retention = settings.retention;
        let mut writer =
            Self { open, store, away, spool, anchor, chain, retention, purge_at: now, stats, brake: Brake::default() };
        writer.look_at_chain();
        Ok(writer)
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
        if let Ok(Some(head)) = self.anchor.read() {
            // A log that leaves this machine is one more place where the end of the chain is written down.
            tracing::info!(chain = %head.chain, records = head.next, head = %head.hash, "Receipts are closed.");
        }
    }

    /// When there is something to do without being asked.
    fn wake(&self) -> Instant {
        self.away.map_or(self.purge_at, |retry| retry.min(self.purge_at))
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
        let kept = self.keep(&entries);
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

    /// In the store, or behind what already waits in the spool.
    fn keep(&mut self, entries: &[Entry]) -> Result<(), Unrecordable> {
        let tried = self.away.is_none_or(|retry| retry <= Instant::now());
        if tried && self.deliver(entries).is_ok() {
            self.stats.stored.fetch_add(entries.len() as u64, Relaxed);
            return Ok(());
        }
        match self.spool.append(entries) {
            Ok(()) => {
                self.stats.spooled.fetch_add(entries.len() as u64, Relaxed);
                Ok(())
            }
            // The store may be back by now.
            Err(_) if !tried && self.deliver(entries).is_ok() => {
                self.stats.stored.fetch_add(entries.len() as u64, Relaxed);
                Ok(())
            }
            Err(error) => Err(Unrecordable(error.to_string())),
        }
    }

    /// Brings what waits in the spool into the store, and these behind it.
    fn deliver(&mut self, entries: &[Entry]) -> Result<(), Error> {
        let delivered = self.try_deliver(entries);
        self.stats.away.store(delivered.is_err(), Relaxed);
        match &delivered {
            Ok(()) if self.away.take().is_some() => tracing::info!("The store of receipts is back."),
            Ok(()) => {}
            Err(error) => {
                if self.away.is_none() {
                    tracing::warn!(%error, "The store of receipts is away; receipts wait in the spool.");
                }
                self.away = Some(Instant::now() + RETRY);
                // Whatever state the connection is in, the next try begins anew.
                self.store = None;
            }
        }
        delivered
    }

    fn try_deliver(&mut self, entries: &[Entry]) -> Result<(), Error> {
        if self.store.is_none() {
            self.store = Some((self.open)()?);
            self.look_at_chain();
        }
        let (waiting, torn) = match self.spool.read() {
            Ok(read) => read,
            // Whoever holds it will deliver it.
            Err(SpoolError::InUse) => (Vec::new(), 0),
            Err(error) => {
                tracing::warn!(%error, "What waits in the spool cannot be read.");
                (Vec::new(), 0)
            }
        };
        if torn > 0 {
            tracing::warn!(torn, "Torn receipts in the spool, which nobody was told of, are skipped.");
        }
        let store = self.store.as_mut().expect("opened above");
        let mut head = None;
        for batch in waiting.chunks(BATCH).chain([entries]).filter(|batch| !batch.is_empty()) {
            head = Some(store.append(self.chain, batch)?);
        }
        if !waiting.is_empty() {
            tracing::info!(receipts = waiting.len(), "Receipts were delivered out of the spool.");
        }
        if !waiting.is_empty() || torn > 0 {
            // Else they are delivered again, which changes nothing.
            if let Err(error) = self.spool.clear() {
                tracing::warn!(%error, "The spool cannot be emptied.");
            }
        }
        if let Some(head) = head {
            self.note(head);
        }
        Ok(())
    }

    fn note(&self, head: Head) {
        if let Err(error) = self.anchor.note(head) {
            tracing::warn!(%error, "The end of the chain of receipts cannot be noted.");
        }
    }

    /// A chain whose noted end is not in the store is left alone, as evidence, and another one begun.
    fn look_at_chain(&mut self) {
        let Some(states) = self.store.as_mut().and_then(|store| store.chains().ok()) else { return };
        let Ok(Some(noted)) = self.anchor.read() else { return };
        let state = states.iter().find(|state| state.head.chain == noted.chain);
        if state.map_or(0, |state| state.head.next) >= noted.next {
            return;
        }
        tracing::error!(
            chain = %noted.chain,
            records = noted.next,
            "The store has lost the end of its chain (`consentry receipts verify` tells more); a new chain is begun."
        );
        match self.anchor.set_aside(noted.chain).map_err(Error::from).and_then(|()| new_chain(&self.anchor)) {
            Ok(chain) => self.chain = chain,
            Err(error) => tracing::error!(%error, "The noted end of the chain cannot be set aside."),
        }
    }

    fn ready(&mut self) -> Result<&mut Box<dyn Backend>, Error> {
        if self.store.is_none() || !self.spool.is_empty().unwrap_or(true) {
            self.deliver(&[])?;
        }
        Ok(self.store.as_mut().expect("delivered to it"))
    }

    fn history(&mut self, whose: &Whose) -> Result<Vec<Receipt>, Error> {
        let mut found = std::collections::VecDeque::new();
        self.ready()?.each(&whose.filter(), &mut |receipt| {
            found.truncate(SHOWN - 1);
            found.push_front(receipt);
            Ok(())
        })?;
        Ok(found.into_iter().rev().collect())
    }

    fn erase(&mut self, whose: &Whose) -> Result<u64, Error> {
        let filter = whose.filter();
        self.change(|store| store.erase(&filter, Reason::Visitor, telemetry::now()))
    }

    fn change(&mut self, change: impl FnOnce(&mut dyn Backend) -> Result<u64, Error>) -> Result<u64, Error> {
        let chain = self.chain;
        let store = self.ready()?;
        let changed = change(&mut **store)?;
        let states = store.chains()?;
        if let Some(state) = states.iter().find(|state| state.head.chain == chain) {
            self.note(state.head);
        }
        Ok(changed)
    }

    /// What is due without being asked: a store that may be back, receipts that are too old.
    fn housekeep(&mut self) {
        let now = Instant::now();
        if self.away.is_some_and(|retry| retry <= now) {
            let _ = self.deliver(&[]);
        }
        if self.purge_at > now {
            return;
        }
        self.purge_at = now + PURGE;
        let today = telemetry::now();
        let before = today.before(self.retention.as_secs());
        match self.change(|store| store.purge(before, today)) {
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

fn new_chain(anchor: &Anchor) -> Result<ChainId, Error> {
    let chain = ChainId(random()?);
    anchor.note(Head::new(chain))?;
    Ok(chain)
}
