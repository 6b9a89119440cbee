//! The main file, `consentry.yaml`: listeners, limits, and the list of sites.

use std::io::ErrorKind;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::certificate_file::Certificates;
use super::limits::{Limits, Timeouts};
use super::log_file::Log;
use super::model::{Config, Receipts};
use super::policy_cache::Policies;
use super::reading::Item;
use super::section::Section;
use super::site::Site;
use super::{across, admin, listen, log_file, otlp_file, site_file};
use crate::policy::Countries;

/// From a hundredth of a second, which tests want, to a day: more is a slip of the pen.
const TIME: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(86_400);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Reads the whole configuration. What is wrong is noted; `None` if too little is left to make a `Config`.
pub(super) fn read(s: &Section<'_>, certificates: &Certificates, policies: &Policies) -> Option<Config> {
    let trusted_proxies = s.or("trusted_proxies", Vec::new(), listen::networks);
    let listeners = s.need("listen", |item| listen::read(item, &trusted_proxies));
    let redirect = s.or("redirect", Vec::new(), |item| listen::read(item, &trusted_proxies));
    let own = across::own_addresses(s);
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let default_certificate = (s.get("certificate"), s.get("key"));
    let state = s.get("state").map_or_else(|| Some(s.item.source.folder.join("state")), |item| item.path())?;
    if !certificates.are_skipped() {
        folders(s, &state);
    }
    let default_receipts = Receipts::in_folder(&state);
    let mut config = Config {
        file: s.item.source.name.clone(),
        files: Vec::new(),
        hash: "".into(),
        watch: s.or("watch", false, Item::bool),
        listen: Vec::new(),
        redirect,
        workers: s.read("workers", |item| item.integer(1..=1024)).map_or_else(cores, |n| n as usize),
        receipts: s.or("receipts", default_receipts.clone(), |item| item.section(|s| receipts(s, default_receipts))),
        state,
        trusted_proxies,
        geoip: s.read("geoip", countries),
        timeouts: s.or("timeouts", Timeouts::default(), |item| item.section(timeouts)),
        limits: s.or("limits", Limits::default(), |item| item.section(limits)),
        log: s.or("log", Log::default(), |item| item.section(log_file::read)),
        otlp: s.read("otlp", |item| item.section(|s| otlp_file::read(s, certificates)).flatten()),
        admin: s.read("admin", |item| item.section(|s| admin::read(s, certificates)).flatten()),
        sites: Vec::new(),
        certificates: Vec::new(),
    };
    if s.item.is_null() && !certificates.are_skipped() {
        s.item.fail::<()>("`certificate` is missing");
    }
    let read_site =
        |item: &Item<'_>| item.section(|s| site_file::read(s, &default_certificate, certificates, policies)).flatten();
    let sites = s.need("sites", |item| {
        let items = item.list();
        if items.is_empty() && matches!(item.node.value, super::tree::Value::List(_)) {
            return item.fail("no site is named");
        }
        let mut sites: Vec<Site> = items.iter().filter_map(read_site).collect();
        across::introduce_neighbours(&mut sites);
        across::hosts_differ(&items);
        across::origins_are_others(&items, &own);
        Some(sites.into_iter().map(Arc::new).collect())
    });
    config.listen = listeners?;
    config.sites = sites?;
    let admin = config.admin.as_ref().and_then(|admin| admin.certificate.as_ref());
    for certificate in config.sites.iter().filter_map(|site| site.certificate.as_ref()).chain(admin) {
        if !config.certificates.iter().any(|known| Arc::ptr_eq(known, certificate)) {
            config.certificates.push(certificate.clone());
        }
    }
    Some(config)
}

/// Whether what we write can be written: the state's folder is made, that of the access log is not.
fn folders(s: &Section<'_>, state: &Path) {
    let made = state.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    if let Some(file) = made.filter(|made| !made.is_dir()) {
        let what = format!("cannot make the folder {}: {} is none", state.display(), file.display());
        let item = s.item.child_named("state").unwrap_or_else(|| s.item.clone());
        item.fail_with::<()>(what, "name a folder that we may make, or one that is there");
    }
    let Some(log) = s.item.child_named("log").filter(|log| log.child_named("access").is_none_or(|item| item.is_on()))
    else {
        return;
    };
    let Some(item) = log.child_named("access_file") else { return };
    let Some(path) = item.peek_text().map(|text| item.source.folder.join(text)) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // What only others may look into is theirs to judge.
    let hidden = folder.metadata().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    if !folder.is_dir() && !hidden {
        let hint = "make it, for whom we run as; the systemd unit makes /var/log/consentry";
        item.fail_with::<()>(format!("cannot write {}: its folder is not there", path.display()), hint);
    } else if path.is_dir() {
        item.fail_with::<()>(format!("cannot write {}: it is a folder", path.display()), "name a file in it");
    }
}

fn timeouts(s: &Section<'_>) -> Timeouts {
    let default = Timeouts::default();
    let time = |item: &Item<'_>| item.duration(TIME);
    Timeouts {
        handshake: s.or("handshake", default.handshake, time),
        request_head: s.or("request_head", default.request_head, time),
        body_idle: s.or("body_idle", default.body_idle, time),
        origin_connect: s.or("origin_connect", default.origin_connect, time),
        origin_first_byte: s.or("origin_first_byte", default.origin_first_byte, time),
        origin_idle: s.or("origin_idle", default.origin_idle, time),
        origin_resolve: s.or("origin_resolve", default.origin_resolve, time),
        idle: s.or("idle", default.idle, time),
        rest: s.or("rest", default.rest, time),
        drain: s.or("drain", default.drain, time),
    }
}

fn limits(s: &Section<'_>) -> Limits {
    let default = Limits::default();
    let size = |range: RangeInclusive<u64>| move |item: &Item<'_>| item.size(range).map(|n| n as usize);
    let count = |range: RangeInclusive<u64>| move |item: &Item<'_>| item.integer(range);
    Limits {
        connections: s.or("connections", default.connections as u64, count(1..=10_000_000)) as usize,
        connections_per_client: s.or(
            "connections_per_client",
            default.connections_per_client as u64,
            count(1..=10_000_000),
        ) as usize,
        requests: s.or("requests", default.requests as u64, count(1..=10_000_000)) as usize,
        upload_rate: s.or("upload_rate", default.upload_rate, count(0..=MIB)),
        // hyper reads a head in one buffer and wants 8 KiB for it.
        head_bytes: s.or("head_bytes", default.head_bytes, size(8 * KIB..=MIB)),
        head_fields: s.or("head_fields", default.head_fields as u64, count(16..=10_000)) as usize,
        streams: s.or("streams", u64::from(default.streams), count(1..=100_000)) as u32,
        html_memory: s.or("html_memory", default.html_memory, size(64 * KIB..=1024 * MIB)),
        decompressed: s.or("decompressed", default.decompressed, |item| item.size(MIB..=MIB * MIB)),
        decompression_ratio: s.or("decompression_ratio", u64::from(default.decompression_ratio), count(10..=1_000_000))
            as u32,
        inline_script: s.or("inline_script", default.inline_script, size(KIB..=64 * MIB)),
        choice_body: s.or("choice_body", default.choice_body, size(KIB..=MIB)),
        choices_a_minute: s.or("choices_a_minute", u64::from(default.choices_a_minute), count(1..=60_000)) as u32,
    }
}

/// The database that tells where visitors are.
fn countries(item: &Item<'_>) -> Option<Arc<Countries>> {
    let path = item.path()?;
    let read = || Countries::read(item.problems.files.bytes(&path)?).map_err(std::io::Error::other);
    match read() {
        Ok(countries) => Some(Arc::new(countries)),
        Err(error) => item.fail_with(
            format!("cannot read {}: {error}", path.display()),
            "name a database of countries in MaxMind's format, e.g. GeoLite2-Country.mmdb",
        ),
    }
}

/// Records of less than a day or more than a life prove nothing.
const RETENTION: RangeInclusive<Duration> = Duration::from_secs(86_400)..=Duration::from_secs(100 * 365 * 86_400);

fn receipts(s: &Section<'_>, default: Receipts) -> Receipts {
    Receipts {
        store: s.or("store", default.store, Item::path),
        postgres: s.read("postgres", |item| match cfg!(feature = "postgres") {
            true => item.path(),
            false => item.fail_with("this build has no PostgreSQL", "build it with `--features postgres`"),
        }),
        retention: s.or("retention", default.retention, |item| item.duration(RETENTION)),
        spool: s.or("spool", default.spool, |item| item.size(64 * KIB..=1024 * MIB)),
        ip: s.or("ip", default.ip, |item| item.word(&[("none", false), ("truncated", true)])),
        user_agent: s.or("user_agent", default.user_agent, Item::bool),
    }
}

impl Item<'_> {
    /// A path, relative to the folder of the file that names it.
    pub(super) fn path(&self) -> Option<PathBuf> {
        Some(self.source.folder.join(self.text()?))
    }
}
