//! The thread that asks origins whether they are well: one for all workers, so that a check is one and not eight.

use std::io::Result;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::config::Config;
use crate::proxy::{Fleet, check};

/// The running thread; dropping it ends and joins it.
#[derive(Debug)]
pub(super) struct Checks {
    /// What is checked; without a sender the thread ends.
    config: Mutex<Option<watch::Sender<Arc<Config>>>>,
    fleet: Arc<Fleet>,
    thread: Option<JoinHandle<()>>,
}

impl Checks {
    /// Starts to check what a configuration wants checked.
    ///
    /// # Errors
    /// If thread or runtime cannot be had.
    pub(super) fn start(config: Arc<Config>, fleet: Arc<Fleet>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, mut configs) = watch::channel(config);
        let known = Arc::clone(&fleet);
        let run = async move {
            loop {
                let config = Arc::clone(&configs.borrow_and_update());
                tokio::select! {
                    changed = configs.changed() => if changed.is_err() { return },
                    () = check(&config, &known) => {}
                }
            }
        };
        let thread = std::thread::Builder::new().name("health".into()).spawn(move || {
            runtime.block_on(run);
            // A look-up that hangs must not hold up the end of the process.
            runtime.shutdown_background();
        })?;
        Ok(Self { config: Mutex::new(Some(sender)), fleet, thread: Some(thread) })
    }

    /// Checks what another configuration wants, from now on; origins that it does not name are forgotten.
    pub(super) fn change(&self, config: Arc<Config>) {
        self.fleet.keep(&config);
        if let Some(sender) = &*self.config.lock().unwrap_or_else(PoisonError::into_inner) {
            sender.send_replace(config);
        }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
