//! What the ticks of the posted form mean.
//!
//! A form without JavaScript cannot tick the services of a category along with it. So the page also sends what
//! it showed as ticked, and only what differs from that is an answer: a service whose own tick changed follows
//! it, else it follows its category's tick where that changed, else it stays.

use crate::policy::{CategoryId, Grant, Policy, ServiceId};

/// The fields of the form, as lists of the keys of a policy. A script or `curl` that saw no page leaves the
/// `shown` ones empty: then a category means all its services.
#[derive(Debug, Clone, Default)]
pub struct Ticks<'a> {
    /// `category`, repeated.
    pub categories: Vec<&'a str>,
    /// `service`, repeated.
    pub services: Vec<&'a str>,
    /// `shown_category`, repeated.
    pub shown_categories: Vec<&'a str>,
    /// `shown_service`, repeated.
    pub shown_services: Vec<&'a str>,
}

/// A key that the policy does not have: an old page, or not our form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no {kind} of the name that was sent")]
pub struct Unknown {
    /// `category` or `service`.
    pub kind: &'static str,
}

impl Ticks<'_> {
    /// What the visitor grants. Signals are not asked here.
    pub fn grant(&self, policy: &Policy) -> Result<Grant, Unknown> {
        let parts = policy.parts();
        if !self.categories.iter().all(|key| parts.categories.iter().any(|category| *category.id == **key)) {
            return Err(Unknown { kind: "category" });
        }
        if !self.services.iter().all(|key| parts.services.iter().any(|service| *service.id == **key)) {
            return Err(Unknown { kind: "service" });
        }
        let mut grant = Grant::none();
        for (index, category) in (0_u8..).zip(&parts.categories) {
            if category.required || self.categories.contains(&&*category.id) {
                grant.grant_category(CategoryId(index));
            }
        }
        for (index, service) in (0_u16..).zip(&parts.services) {
            let Some(category) = parts.categories.get(usize::from(service.category.0)) else { continue };
            // The ticks of a required category are locked, and browsers send nothing for them.
            if category.required {
                continue;
            }
            let ticked = self.services.contains(&&*service.id);
            let category_ticked = self.categories.contains(&&*category.id);
            let own = ticked != self.shown_services.contains(&&*service.id);
            let with_category = category_ticked != self.shown_categories.contains(&&*category.id);
            let granted = if !own && with_category { category_ticked } else { ticked };
            match (granted, category_ticked) {
                (true, false) => grant.grant_service(ServiceId(index)),
                (false, true) => grant.refuse_service(ServiceId(index)),
                _ => {}
            }
        }
        Ok(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{parts, policy};
    use super::*;
    use crate::policy::Owner;

    /// Posts ticks against what was shown, gives what is granted of: analytics, counter, replay, ads, pixel.
    fn granted(sent: [&[&str]; 2], shown: [&[&str]; 2]) -> [bool; 5] {
        let ticks = Ticks {
            categories: sent[0].to_vec(),
            services: sent[1].to_vec(),
            shown_categories: shown[0].to_vec(),
            shown_services: shown[1].to_vec(),
        };
        let grant = ticks.grant(&policy(parts())).unwrap();
        assert!(grant.has_category(CategoryId(0)));
        [(1, None), (1, Some(0)), (1, Some(1)), (2, None), (2, Some(2))].map(|(category, service)| {
            grant.allows(Owner { category: CategoryId(category), service: service.map(ServiceId) })
        })
    }

    #[test]
    fn ticks_mean_what_the_visitor_changed() {
        const NONE: [&[&str]; 2] = [&[], &[]];
        const ALL: [&[&str]; 2] = [&["analytics"], &["counter", "replay"]];
        for (what, sent, shown, expected) in [
            ("nothing", NONE, NONE, [false; 5]),
            ("category only", [&["analytics"][..], &[]], NONE, [true, true, true, false, false]),
            ("one service only", [&[], &["replay"]], NONE, [false, false, true, false, false]),
            (
                "category and one of its services",
                [&["analytics"], &["counter"]],
                NONE,
                [true, true, true, false, false],
            ),
            ("all as before", ALL, ALL, [true, true, true, false, false]),
            ("one service taken back", [&["analytics"], &["counter"]], ALL, [true, true, false, false, false]),
            ("category taken back", [&[], &["counter", "replay"]], ALL, [false; 5]),
            ("everything taken back", NONE, ALL, [false; 5]),
            ("category kept, all services taken back", [&["analytics"], &[]], ALL, [true, false, false, false, false]),
            (
                "exception stays",
                [&["analytics"], &["replay"]],
                [&["analytics"], &["replay"]],
                [true, false, true, false, false],
            ),
            ("other category", [&["analytics", "ads"], &["counter", "replay"]], ALL, [true; 5]),
            ("required is implied", [&["necessary", "ads"], &[]], NONE, [false, false, false, true, true]),
        ] {
            assert_eq!(granted(sent, shown), expected, "{what}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        let policy = policy(parts());
        let ticks = Ticks { categories: vec!["analytics", "telepathy"], ..Ticks::default() };
        assert_eq!(ticks.grant(&policy), Err(Unknown { kind: "category" }));
        let ticks = Ticks { services: vec!["analytics"], ..Ticks::default() };
        assert_eq!(ticks.grant(&policy), Err(Unknown { kind: "service" }));
        // What was shown may be gone by now: it says nothing any more.
        let ticks = Ticks { shown_services: vec!["gone"], shown_categories: vec!["gone"], ..Ticks::default() };
        assert!(ticks.grant(&policy).is_ok());
    }
}
