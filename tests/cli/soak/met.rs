//! What clients met: what went well, by kind; what did not, and whether an origin that was away explains it; and the
//! choices that were acknowledged.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// How long after its return an origin may still be thought to be away.
const GRACE: Duration = Duration::from_secs(3);

/// One book for everybody.
#[derive(Debug, Default)]
pub(super) struct Met(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    good: BTreeMap<&'static str, u64>,
    failures: Vec<Failure>,
    /// When which origin was away; `None` while it still is.
    away: Vec<(&'static str, Instant, Option<Instant>)>,
    choices: BTreeMap<String, u64>,
    unsure: u64,
}

#[derive(Debug)]
struct Failure {
    what: &'static str,
    /// The site whose origin had to answer, if one had to.
    site: Option<&'static str>,
    began: Instant,
    ended: Instant,
    why: String,
}

impl Met {
    /// What came of something that began then. `site`: it could only go well while the origin of that site was there.
    pub(super) fn note(
        &self,
        what: &'static str,
        site: Option<&'static str>,
        began: Instant,
        came: Result<(), String>,
    ) {
        let mut book = self.0.lock().unwrap();
        match came {
            Ok(()) => *book.good.entry(what).or_default() += 1,
            Err(why) => book.failures.push(Failure { what, site, began, ended: Instant::now(), why }),
        }
    }

    pub(super) fn leaves(&self, site: &'static str) {
        self.0.lock().unwrap().away.push((site, Instant::now(), None));
    }

    pub(super) fn is_back(&self, site: &'static str) {
        let mut book = self.0.lock().unwrap();
        let open = book.away.iter_mut().rfind(|(of, _, until)| *of == site && until.is_none());
        open.expect("it left before").2 = Some(Instant::now());
    }

    /// A choice of this visitor was acknowledged.
    pub(super) fn chose(&self, consent: String) {
        *self.0.lock().unwrap().choices.entry(consent).or_default() += 1;
    }

    /// A choice was posted of which nobody waited to hear.
    pub(super) fn perhaps_chose(&self) {
        self.0.lock().unwrap().unsure += 1;
    }

    /// How many things went well, and how many did not.
    pub(super) fn counts(&self) -> (u64, u64) {
        let book = self.0.lock().unwrap();
        (book.good.values().sum(), book.failures.len() as u64)
    }

    pub(super) fn good(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap().good.clone()
    }

    /// Acknowledged choices by consent id, and how many more may have been kept.
    pub(super) fn choices(&self) -> (BTreeMap<String, u64>, u64) {
        let book = self.0.lock().unwrap();
        (book.choices.clone(), book.unsure)
    }

    /// How many failures an origin explains that was away, and all others.
    pub(super) fn judge(&self) -> (usize, Vec<String>) {
        let book = self.0.lock().unwrap();
        let (explained, bad): (Vec<_>, Vec<_>) = book.failures.iter().partition(|failure| book.explains(failure));
        let first = book.failures.first().map(|failure| failure.began);
        let told = bad.iter().map(|failure| {
            let took = failure.ended - failure.began;
            let at = first.map(|first| failure.began - first).unwrap_or_default();
            format!(
                "{} of {:?}, {at:.1?} after the first failure, for {took:.1?}: {}",
                failure.what, failure.site, failure.why
            )
        });
        (explained.len(), told.collect())
    }
}

impl Book {
    fn explains(&self, failure: &Failure) -> bool {
        self.away.iter().any(|(site, from, until)| {
            failure.site == Some(*site)
                && *from <= failure.ended
                && until.is_none_or(|until| failure.began <= until + GRACE)
        })
    }
}
