//! `Consent: necessary, analytics`: the grant, told to the origin as a structured-field list of tokens (RFC 9651).

use http::HeaderValue;
use http::header::HeaderName;

use crate::policy::{Category, CategoryId, Grant, Policy};

/// The name of the field; an incoming one is a claim of the client's and never passes.
pub const CONSENT: HeaderName = HeaderName::from_static("consent");

/// Up to this number of optional categories every value is made beforehand: 64 of them, some kilobytes a site.
const PREPARED: usize = 6;

/// The values of one site's `Consent` header, made when its policy is loaded.
#[derive(Debug)]
pub struct ConsentHeader {
    /// By the set of optional categories, the first one in the lowest bit; empty for policies with many.
    values: Vec<HeaderValue>,
    optional: Vec<CategoryId>,
}

impl ConsentHeader {
    /// For the categories of this policy.
    pub fn new(policy: &Policy) -> Self {
        let all = || (0_u8..).map(CategoryId).zip(&policy.parts().categories);
        let optional: Vec<_> = all().filter(|(_, category)| !category.required).map(|(id, _)| id).collect();
        let subsets = if optional.len() <= PREPARED { 1 << optional.len() } else { 0 };
        let holds = |set: usize, id| optional.iter().position(|o| *o == id).is_some_and(|bit| set & (1 << bit) != 0);
        let values = (0..subsets).map(|set| write(policy, |id| holds(set, id))).collect();
        Self { values, optional }
    }

    /// The value for a grant. Required categories are always in it; a service's own answer does not show.
    pub fn value(&self, policy: &Policy, grant: &Grant) -> HeaderValue {
        let bits = self.optional.iter().enumerate().filter(|(_, id)| grant.has_category(**id));
        match self.values.get(bits.fold(0, |set, (bit, _)| set | 1_usize << bit)) {
            Some(value) => value.clone(),
            None => write(policy, |id| grant.has_category(id)),
        }
    }
}

fn write(policy: &Policy, granted: impl Fn(CategoryId) -> bool) -> HeaderValue {
    let wanted = |(id, category): &(CategoryId, &Category)| category.required || granted(*id);
    let ids: Vec<&str> = (0_u8..)
        .map(CategoryId)
        .zip(&policy.parts().categories)
        .filter(wanted)
        .map(|(_, category)| &*category.id)
        .collect();
    // `config` lets only tokens pass as ids; an empty list claims nothing, should that ever fail.
    HeaderValue::from_str(&ids.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn lists_what_is_granted_in_the_order_of_the_policy() {
        let policy = fixture::policy();
        let header = ConsentHeader::new(&policy);
        for (granted, expected) in [
            (&[] as &[u8], "necessary"),
            (&[0, 1], "necessary, analytics"),
            (&[2], "necessary, marketing"),
            (&[0, 1, 2], "necessary, analytics, marketing"),
        ] {
            let value = header.value(&policy, &fixture::grant(granted));
            assert_eq!(value, expected);
        }
    }

    #[test]
    fn many_categories_are_listed_too() {
        let mut parts = fixture::parts();
        let template = parts.categories[1].clone();
        for number in 3..60 {
            parts.categories.push(Category { id: format!("c{number}").into(), ..template.clone() });
        }
        let policy = fixture::compile(parts);
        let value = ConsentHeader::new(&policy).value(&policy, &fixture::grant(&[1, 58]));
        assert_eq!(value, "necessary, analytics, c58");
    }
}
