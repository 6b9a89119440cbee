//! `GET choice`: what holds now, for scripts, which cannot read the cookie.

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Map;

use super::super::Visit;
use super::JSON;
use crate::body::Body;
use crate::consent::{Basis, Decision};
use crate::own;
use crate::page::banner::script::granted;
use crate::policy::{CategoryId, Owner, ServiceId, vendor_word};

/// What holds for this visitor now: for each category and service that the policy names, whether it may be used.
pub(in crate::api) fn state(visit: &Visit<'_>) -> Response<Body> {
    state_of(visit, visit.decision)
}

pub(super) fn state_of(visit: &Visit<'_>, decision: &Decision) -> Response<Body> {
    let policy = &visit.site.policy;
    let parts = policy.parts();
    let grant = &decision.grant;
    let categories = (0..).map(CategoryId).zip(&parts.categories);
    let categories: Map<_, _> =
        categories.map(|(id, category)| (category.id.to_string(), grant.has_category(id).into())).collect();
    let services = (0..).map(ServiceId).zip(&parts.services);
    // Of what the policy does not declare, a record of the IAB answers for the vendor.
    let refused = grant.refused_vendors();
    let vendors = policy.vendors().into_iter().map(|vendor| (vendor_word(vendor), (!refused.contains(&vendor)).into()));
    let services: Map<_, _> = services
        .map(|(id, service)| {
            let owner = Owner { category: service.category, service: Some(id) };
            (service.id.to_string(), grant.allows(owner).into())
        })
        .chain(vendors)
        .collect();
    let state = serde_json::json!({
        "version": parts.version,
        "chosen": decision.basis == Basis::Choice,
        "categories": categories,
        "services": services,
        // As the tags of our scripts have it.
        "grant": granted(policy, grant),
    });
    let mut response = Response::new(Body::full(state.to_string()));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
