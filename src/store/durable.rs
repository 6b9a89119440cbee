//! Where receipts are durable: the store; while that is away the spool, out of which they are delivered later; and the
//! noted end of the chain beside both.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::Instant;

use super::anchor::Anchor;
use super::backend::Backend;
use super::handle::{Stats, Unrecordable};
use super::spool::{Spool, SpoolError};
use super::{Error, Place, random};
use crate::config;
use crate::receipt::{ChainId, Entry, Head};

/// Opens the store, also again after it failed.
pub type Opener = Box<dyn FnMut() -> Result<Box<dyn Backend>, Error> + Send>;

/// Receipts in one transaction.
pub(super) const BATCH: usize = 256;
/// How long the lock of another process is waited for before the spool takes over.
pub(super) const LOCKED: Duration = Duration::from_millis(500);
/// How long a database over the network may take for one step.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries of a store that is away.
const RETRY: Duration = Duration::from_secs(1);

/// The store and the spool.
pub(super) struct Durable {
    open: Opener,
    store: Option<Box<dyn Backend>>,
    /// When the store may be tried again; `None` while it works.
    away: Option<Instant>,
    spool: Spool,
    anchor: Anchor,
    /// Which chain is ours.
    chain: ChainId,
    stats: Arc<Stats>,
}

impl Durable {
    /// Opens the store, and takes up the chain that was noted.
    ///
    /// # Errors
    /// If the store cannot be opened for a reason that does not pass.
    pub(super) fn open(
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
        let (store, away) = match open() {
            Ok(store) => (Some(store), None),
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "The store of receipts is away; receipts wait in the spool.");
                (None, Some(Instant::now() + RETRY))
            }
            Err(error) => return Err(error),
        };
        let spool = Spool::at(&place.spool, settings.spool);
        stats.away.store(away.is_some(), Relaxed);
        let mut durable = Self { open, store, away, spool, anchor, chain, stats };
        durable.look_at_chain();
        Ok(durable)
    }

    /// When the store may be tried again; `None` while it works.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.away
    }

    /// Tries a store that may be back, if it is time to.
    pub(super) fn retry(&mut self, now: Instant) {
        if self.away.is_some_and(|retry| retry <= now) {
            // That it is away still was told when it went.
            let _ = self.deliver(&[]);
        }
    }

    /// The end of the chain, as it was noted last.
    pub(super) fn head(&self) -> Option<Head> {
        self.anchor.read().ok().flatten()
    }

    /// In the store, or behind what already waits in the spool.
    pub(super) fn keep(&mut self, entries: &[Entry]) -> Result<(), Unrecordable> {
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

    /// The store, when all that waits is in it.
    ///
    /// # Errors
    /// If it is away.
    pub(super) fn ready(&mut self) -> Result<&mut Box<dyn Backend>, Error> {
        if self.store.is_none() || !self.spool.is_empty().unwrap_or(true) {
            self.deliver(&[])?;
        }
        Ok(self.store.as_mut().expect("delivered to it"))
    }

    /// Changes what is in the store, and notes the end of the chain anew.
    ///
    /// # Errors
    /// If it is away or cannot be changed.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut dyn Backend) -> Result<u64, Error>) -> Result<u64, Error> {
        let chain = self.chain;
        let store = self.ready()?;
        let changed = change(&mut **store)?;
        let states = store.chains()?;
        if let Some(state) = states.iter().find(|state| state.head.chain == chain) {
            self.note(state.head);
        }
        Ok(changed)
    }
}

fn new_chain(anchor: &Anchor) -> Result<ChainId, Error> {
    let chain = ChainId(random()?);
    anchor.note(Head::new(chain))?;
    Ok(chain)
}
