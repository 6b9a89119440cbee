//! A rewriter whose findings are taken down when it goes, at the end of the page or before; and whether it gave up.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::worker::{SiteRef, Worker};
use crate::config::Mode;
use crate::cookie::UnixTime;
use crate::html::Rewriter;
use crate::telemetry::findings::Scene;

/// Where a page is looked at.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) site: SiteRef,
    pub(super) worker: Arc<Worker>,
    /// Its path.
    pub(super) page: Box<str>,
    pub(super) now: UnixTime,
}

/// See above.
pub(super) struct Noted {
    rewriter: Rewriter,
    place: Place,
}

impl Noted {
    pub(super) fn new(rewriter: Rewriter, place: Place) -> Self {
        Self { rewriter, place }
    }
}

impl Deref for Noted {
    type Target = Rewriter;

    fn deref(&self) -> &Rewriter {
        &self.rewriter
    }
}

impl DerefMut for Noted {
    fn deref_mut(&mut self) -> &mut Rewriter {
        &mut self.rewriter
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let Place { site, worker, page, now } = &self.place;
        let scene =
            Scene { site: &site.name, policy: &site.policy, page, applied: site.mode == Mode::Enforce, now: *now };
        worker.findings.found(scene, &self.rewriter.findings());
        worker.findings.found(scene, &self.rewriter.passed());
        if let (Mode::Enforce, Some(error)) = (site.mode, self.rewriter.gave_up()) {
            site.counters().unfiltered.fetch_add(1, Relaxed);
            tracing::warn!(%error, site = %site.name, path = &**page, "A page passes unfiltered.");
        }
    }
}
