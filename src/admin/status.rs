//! `/api/status`: what runs here, since when, and on which configuration.

use serde_json::{Value, json};

use super::View;
use crate::config::{Mode, Site};
use crate::telemetry;

const DAY: i64 = 86_400;

/// Everything at once; it names no secret.
pub(super) fn status(view: &View) -> Value {
    let now = telemetry::now().0;
    let (config, outcome) = (view.config(), view.running.outcome());
    let certificates = config.certificates.iter().map(|certificate| {
        json!({
            "file": certificate.file.display().to_string(),
            "names": certificate.names,
            "not_after": certificate.not_after,
            "days_left": (certificate.not_after - now).div_euclid(DAY),
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": view.started.0,
        "uptime_seconds": now - view.started.0,
        "ready": !view.stop.is_cancelled(),
        "config": &*config.file,
        "config_hash": config.hash,
        "config_read": outcome.read,
        "config_refused": outcome.refused,
        "workers": config.workers,
        "sites": config.sites.iter().map(|site| of_site(view, site)).collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
    })
}

fn of_site(view: &View, site: &Site) -> Value {
    let origins = view.origins(site).into_iter().map(|(origin, up)| json!({ "origin": origin, "up": up }));
    json!({
        "site": site.name,
        "hosts": site.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "mode": word(site.mode),
        "origins": origins.collect::<Vec<_>>(),
        "policy_version": site.policy.parts().version,
        "certificate": site.certificate.as_ref().map(|certificate| certificate.file.display().to_string()),
    })
}

/// As configurations have it.
pub(super) fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}
