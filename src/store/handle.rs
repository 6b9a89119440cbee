//! How others speak to the writer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::consent::ConsentId;
use crate::receipt::{Entry, Receipt};

/// Longer than any disk takes that works; then it is a store that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// There is no durable place for a receipt: consent that cannot be proven is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a receipt cannot be kept: {0}")]
pub struct Unrecordable(pub String);

/// The store cannot be read or changed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store of receipts is away: {0}")]
pub struct Away(pub String);

/// Writes and reads receipts; cheap to clone, one for each worker.
#[derive(Debug, Clone)]
pub struct Receipts {
    orders: mpsc::Sender<Order>,
    stats: Arc<Stats>,
}

/// What became of receipts, since the start, and how the store is.
#[derive(Debug, Default)]
pub struct Stats {
    /// Kept in the store at once.
    pub stored: AtomicU64,
    /// Kept in the spool, while the store was away.
    pub spooled: AtomicU64,
    /// Choices that were not taken, for nothing could prove them.
    pub refused: AtomicU64,
    /// Refusals and withdrawals that took effect without a receipt.
    pub unproven: AtomicU64,
    /// Whether the store is away.
    pub away: AtomicBool,
    /// Where receipts wait for it.
    pub spool: PathBuf,
}

impl Stats {
    /// Bytes that wait in the spool now.
    pub fn waiting(&self) -> u64 {
        std::fs::metadata(&self.spool).map_or(0, |file| file.len())
    }
}

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Order {
    Append(Entry, oneshot::Sender<Result<(), Unrecordable>>),
    History(Whose, oneshot::Sender<Result<Vec<Receipt>, Away>>),
    Erase(Whose, oneshot::Sender<Result<u64, Away>>),
}

/// One visitor of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) site: Box<str>,
    pub(super) consent: ConsentId,
}

impl Receipts {
    pub(super) fn new(orders: mpsc::Sender<Order>, stats: Arc<Stats>) -> Self {
        Self { orders, stats }
    }

    /// Keeps a receipt; it is on disk when this returns.
    ///
    /// # Errors
    /// If there is no durable place for it. Nothing may then be granted for it.
    pub async fn record(&self, receipt: Receipt) -> Result<(), Unrecordable> {
        let order = |done| Order::Append(Entry::Choice(receipt), done);
        self.ask(order).await.unwrap_or_else(|why| Err(Unrecordable(why.into())))
    }

    /// What a visitor of a site has chosen, oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn history(&self, site: &str, consent: ConsentId) -> Result<Vec<Receipt>, Away> {
        let whose = Whose { site: site.into(), consent };
        self.ask(|done| Order::History(whose, done)).await.unwrap_or_else(|why| Err(Away(why.into())))
    }

    /// Erases what a visitor of a site has chosen, at the visitor's own wish; gives how many receipts.
    ///
    /// # Errors
    /// If the store cannot be changed. Some may be erased all the same.
    pub async fn erase(&self, site: &str, consent: ConsentId) -> Result<u64, Away> {
        let whose = Whose { site: site.into(), consent };
        self.ask(|done| Order::Erase(whose, done)).await.unwrap_or_else(|why| Err(Away(why.into())))
    }

    /// How it goes.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, &'static str> {
        let (done, answer) = oneshot::channel();
        let asked = async {
            self.orders.send(order(done)).await.map_err(|_| "its writer has stopped")?;
            answer.await.map_err(|_| "its writer has stopped")
        };
        timeout(PATIENCE, asked).await.unwrap_or(Err("it does not answer in time"))
    }
}
