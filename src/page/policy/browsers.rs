//! Where each browser keeps its switches for cookies, in our words. Names of menus change; the ways are those of 2026.

/// One browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Browser {
    pub(super) name: &'static str,
    pub(super) steps: &'static str,
}

pub(super) const BROWSERS: &[Browser] = &[
    Browser {
        name: "Chrome",
        steps: "Menu ⋮ → Settings → Privacy and security. “Third-party cookies” blocks those of other sites, \
                “Delete browsing data” removes what is there, “Site settings” decides for single sites.",
    },
    Browser {
        name: "Firefox",
        steps: "Menu ☰ → Settings → Privacy & Security. Enhanced Tracking Protection blocks known trackers, \
                “Cookies and Site Data” removes and blocks, and “Tell websites not to sell or share my data” sends \
                Global Privacy Control.",
    },
    Browser {
        name: "Safari",
        steps: "Safari → Settings → Privacy. “Prevent cross-site tracking” keeps sites from following you, \
                “Manage Website Data” removes what single sites have stored.",
    },
    Browser {
        name: "Edge",
        steps: "Menu ⋯ → Settings → Privacy, search, and services. Tracking prevention has three levels, \
                “Clear browsing data” removes what is there, “Cookies and site permissions” decides for single sites.",
    },
    Browser {
        name: "iPhone and iPad (iOS)",
        steps: "Settings → Apps → Safari. “Prevent Cross-Site Tracking”, “Block All Cookies” and “Clear History and \
                Website Data” are there. What apps may follow: Settings → Privacy & Security → Tracking.",
    },
    Browser {
        name: "Android",
        steps: "In Chrome: menu ⋮ → Settings → Site settings for cookies, Privacy and security to delete them. The \
                advertising ID of the phone: Settings → Privacy (or Google) → Ads.",
    },
];
