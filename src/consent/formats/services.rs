//! What a record says of the single services of a policy: by the site's map, under their names, and as vendors of the IAB.
//!
//! A service that is missing where others are named was refused, or came later. Either way nobody has granted it.

use super::meaning::{known_service, of_name, plain, service_name};
use super::{Said, Services, Tool};
use crate::policy::{CategoryId, Policy, Service, ServiceId};

impl Tool {
    /// Whether a service may be used, where the record has an answer for it alone; `None` where it follows its category.
    pub(super) fn service_answer(
        &self,
        said: &Said,
        policy: &Policy,
        (id, service): (ServiceId, &Service),
    ) -> Option<bool> {
        if vendor_of(policy, service).is_some_and(|vendor| said.refuses_vendor(vendor)) {
            return Some(false);
        }
        let mapped = self.settings.services.iter().filter(|(_, mapped)| *mapped == id);
        let groups: Vec<_> = mapped.map(|(group, _)| &**group).collect();
        match self.settings.format.0.services {
            _ if !groups.is_empty() => self.by_map(said, &groups),
            Services::Unnamed => None,
            Services::Groups | Services::Keys => self.by_group(said, policy, service),
            Services::Lists => self.by_list(said, policy, service),
        }
    }

    /// Whether a group stands for a vendor, who may do what the purposes allow and nothing more.
    pub(super) fn is_vendor(&self, group: &str) -> bool {
        self.settings.format.0.vendors && (group.starts_with("vendor-") || group.starts_with("vendor:"))
    }

    fn by_map(&self, said: &Said, groups: &[&str]) -> Option<bool> {
        let granted = |group: &&str| said.answer(group) == Some(true);
        // A record that has one answer for everything names no groups.
        if !said.groups.is_empty() && said.groups.iter().all(|(group, _)| (self.settings.format.0.meaning)(group).all) {
            return None;
        }
        let only_vendors = groups.iter().all(|group| self.is_vendor(group));
        Some(groups.iter().all(granted)).filter(|granted| !(*granted && only_vendors))
    }

    fn by_group(&self, said: &Said, policy: &Policy, service: &Service) -> Option<bool> {
        let groups = said.groups.iter().map(|(group, granted)| (&**group, *granted));
        named(service, groups).or_else(|| (!self.is_asked_whole(said, policy, service.category)).then_some(false))
    }

    fn by_list(&self, said: &Said, policy: &Policy, service: &Service) -> Option<bool> {
        let entries = said.groups.iter().filter_map(|(group, granted)| {
            let (list, name) = group.split_once('/')?;
            Some((list, name, *granted))
        });
        // Of names that mean nothing to us, none need be this service's.
        let tells = |(list, name, _)| self.is_for(list, service.category) && is_service(policy, name);
        named(service, entries.clone().map(|(_, name, granted)| (name, granted)))
            .or_else(|| entries.clone().any(tells).then_some(false))
    }

    /// Whether the record answers for a category as a whole: by a group that is itself no service.
    fn is_asked_whole(&self, said: &Said, policy: &Policy, category: CategoryId) -> bool {
        let whole = |group: &&str| self.names_category(policy, group) || !is_service(policy, group);
        said.groups.iter().map(|(group, _)| &**group).filter(whole).any(|group| self.is_for(group, category))
    }

    /// Whether a name that a service may have too, as `analytics`, is a category's here: because the site says so, or
    /// the policy calls one so.
    fn names_category(&self, policy: &Policy, group: &str) -> bool {
        if is_of_policy(policy, group) {
            return false;
        }
        let mapped = self.settings.map.iter().any(|(known, _)| **known == *group);
        let is_id = || policy.parts().categories.iter().any(|category| plain(&category.id) == plain(group));
        let of_site = self.settings.format.0.services == Services::Groups;
        (mapped && !of_name(group).kinds.is_empty()) || (of_site && is_id())
    }

    /// Whether a group is for a category: where the site does not say, by its name.
    fn is_for(&self, group: &str, category: CategoryId) -> bool {
        let mut mapped = self.settings.map.iter().filter(|(known, _)| **known == *group).peekable();
        match mapped.peek() {
            Some(_) => mapped.any(|(_, id)| *id == category),
            None => of_name(group).kinds.meets(self.kinds_of(category)),
        }
    }
}

/// The answer of the groups that have the service's name: as it is, else as one of several that are common.
fn named<'g>(service: &Service, groups: impl Iterator<Item = (&'g str, bool)> + Clone) -> Option<bool> {
    let answer = |form: fn(&str) -> String| {
        let names: Vec<_> = names_of(service).map(form).collect();
        let same = groups.clone().filter(|(group, _)| names.contains(&form(group)));
        same.map(|(_, granted)| granted).reduce(|one, other| one && other)
    };
    answer(plain).or_else(|| answer(service_name))
}

fn is_service(policy: &Policy, name: &str) -> bool {
    known_service(name).is_some() || is_of_policy(policy, name)
}

fn is_of_policy(policy: &Policy, name: &str) -> bool {
    let named = |service: &Service| names_of(service).any(|known| plain(known) == plain(name));
    policy.parts().services.iter().any(named)
}

fn names_of(service: &Service) -> impl Iterator<Item = &str> {
    [Some(&*service.id), service.uses.as_deref()].into_iter().flatten()
}

/// The number under which the catalogue knows the service's vendor.
fn vendor_of(policy: &Policy, service: &Service) -> Option<u16> {
    let catalogue = policy.catalogue();
    catalogue.service(service.uses.as_deref().unwrap_or(&service.id))?.iab_vendor
}
