//! MGS WA: rights of the visitor.

use super::*;

fn mgs_wa() -> Shipped {
    Shipped::load("mgs-wa")
}

#[test]
fn mgswa_w2_withdrawal_takes_effect_on_the_next_request() {
    let mgs_wa = mgs_wa();
    let page = "<script src='https://www.google-analytics.com/analytics.js'></script>";
    let before = mgs_wa.everything();
    assert_eq!(mgs_wa.exchange(&before, false, "_ga=1; mgswa_session=a", &[]).0, "_ga=1; mgswa_session=a");
    assert_eq!(mgs_wa.page(&before, page), page);

    let withdrawn = mgs_wa.decide(Choice::reject_all(&mgs_wa.policy, ConsentId([1; 16]), NOW), QUIET);
    assert!(withdrawn.refused);
    let (sent, lines) = mgs_wa.exchange(&withdrawn.grant, withdrawn.refused, "_ga=1; mgswa_session=a", &[]);
    assert_eq!(sent, "mgswa_session=a");
    assert_eq!(mgs_wa.page(&withdrawn.grant, page), "");
    // Gone from the browser, from every domain up to the registrable one.
    assert_eq!(
        lines,
        [
            "_ga=; Max-Age=0; Path=/",
            "_ga=; Max-Age=0; Path=/; Domain=wa.wordpro.top",
            "_ga=; Max-Age=0; Path=/; Domain=wordpro.top"
        ]
    );
}

#[test]
fn mgswa_w6_has_an_effective_date_and_no_implied_acceptance() {
    let mgs_wa = mgs_wa();
    let parts = mgs_wa.policy.parts();
    assert_eq!(parts.effective.as_deref(), Some("2025-06-01"));
    assert_eq!(mgs_wa.config.sites[0].effective, parts.effective);
    assert_eq!(parts.changes[0].date, parts.effective);
    assert!(!mgs_wa.warns_of("GDPR"));
    // It is possible, and said to be none.
    let implied = Shipped::edited("mgs-wa", "law: opt-in", "law: implied");
    assert!(implied.lints().iter().any(|lint| lint.text.contains("GDPR")));
}

#[test]
fn mgswa_w7_whatsapp_is_named_with_its_own_policy() {
    let mgs_wa = mgs_wa();
    let service = mgs_wa.policy.service(mgs_wa.service("whatsapp-business"));
    assert!(service.privacy.as_deref().unwrap().contains("whatsapp.com"));
    assert_eq!((service.data.len(), service.sharing.is_some()), (3, true));
}

/// "We do not sell your personal information."
#[test]
fn mgswa_nothing_is_advertised_and_consent_is_for_one_host() {
    let mgs_wa = mgs_wa();
    for name in ["_fbp", "_gcl_au", "_uetsid"] {
        assert!(!mgs_wa.passes(&mgs_wa.everything(), name), "{name}");
    }
    assert!(mgs_wa.warns_of("`marketing`"), "{:?}", mgs_wa.warnings);
    assert_eq!(mgs_wa.warnings.len(), 1);
    assert_eq!(*mgs_wa.policy.parts().domains, [Box::from("wa.wordpro.top")]);
    assert!(mgs_wa.config.sites[0].cookie.domain.is_none());
}
