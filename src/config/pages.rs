//! What a site says of that which visitors see of us on its pages, and of what goes when they withdraw.

use crate::html::Anchor;

/// What goes when a visitor withdraws, beside the cookies that we delete one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    /// What the browser is asked to clear as a whole.
    pub clear_site_data: Vec<ClearData>,
    /// The visitor stays signed in: session cookies stay.
    pub keep_session: bool,
}

/// A kind of data that `Clear-Site-Data` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearData {
    /// All cookies of the registrable domain.
    Cookies,
    /// localStorage, sessionStorage, IndexedDB and service workers of the origin.
    Storage,
    /// What the browser has cached of the origin.
    Cache,
}

impl Default for Withdraw {
    fn default() -> Self {
        Self { clear_site_data: vec![ClearData::Cache], keep_session: true }
    }
}

/// The way back to the preference centre from each page.
#[derive(Debug, Clone)]
pub struct SettingsLink {
    /// It is the last thing in the first element that this finds, else a small button.
    pub within: Anchor,
    /// What it says; `None` for our own words.
    pub text: Option<Box<str>>,
}

/// Whether the page's own scripts are held to the policy, by a script of ours before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarding {
    /// No.
    Off,
    /// It is told what would be stopped, and nothing is.
    Report,
    /// Yes.
    #[default]
    On,
}

/// What Google's tags are told (Consent Mode v2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsentMode {
    /// Nothing.
    #[default]
    Off,
    /// What is granted. They load when their services are granted, as all others do.
    Basic,
    /// What is granted. Google Analytics and Tag Manager load before that, where the policy declares them.
    Advanced,
}
