//! What the groups of consent tools are for: six kinds, to which tools and policies give names of their own.

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kinds(u8);

/// What a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Meaning {
    pub(super) kinds: Kinds,
    /// Its refusal refuses the kinds, and its grant means nothing: an opt-out.
    pub(super) veto: bool,
    /// It stands for everything that a visitor may refuse, whatever that is called.
    pub(super) all: bool,
}

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const FUNCTIONAL: Self = Self(1);
    pub(super) const PREFERENCES: Self = Self(2);
    pub(super) const ANALYTICS: Self = Self(4);
    pub(super) const PERFORMANCE: Self = Self(8);
    pub(super) const MARKETING: Self = Self(16);
    pub(super) const ALL: Self = Self(31);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether they have one in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        (0..5).map(|bit| Self(1 << bit)).filter(move |kind| self.has(*kind))
    }

    /// The place of a single kind in a table of five.
    pub(super) fn index(self) -> usize {
        self.0.trailing_zeros().min(4) as usize
    }

    /// The kind that stands in for one for which a tool has no group.
    pub(super) fn fallback(self) -> Option<Self> {
        match self {
            Self::PREFERENCES => Some(Self::FUNCTIONAL),
            Self::PERFORMANCE => Some(Self::ANALYTICS),
            Self::FUNCTIONAL => Some(Self::PREFERENCES),
            _ => None,
        }
    }
}

impl Meaning {
    pub(super) const NONE: Self = Self { kinds: Kinds::NONE, veto: false, all: false };
    pub(super) const EVERYTHING: Self = Self { kinds: Kinds::ALL, veto: false, all: true };

    pub(super) const fn of(kinds: Kinds) -> Self {
        Self { kinds, veto: false, all: false }
    }

    pub(super) const fn veto(kinds: Kinds) -> Self {
        Self { kinds, veto: true, all: false }
    }
}

/// What a category of this name is for, in the words that tools and sites use.
pub(super) fn of_name(name: &str) -> Meaning {
    let kinds = match &*plain(name) {
        "all" | "optional" => return Meaning::EVERYTHING,
        "functional" | "functionality" | "functionals" | "externalmedia" | "externalservices" | "storage"
        | "comfort" => Kinds::FUNCTIONAL,
        "preferences" | "preference" | "experience" | "settings" | "personalization" | "personalisation" => {
            Kinds::PREFERENCES
        }
        "analytics" | "analytic" | "analytical" | "statistics" | "statistic" | "statistical" | "stats"
        | "measurement" | "usage" | "mesureaudience" => Kinds::ANALYTICS,
        "performance" | "statisticsanonymous" => Kinds::PERFORMANCE,
        "marketing"
        | "ads"
        | "advertising"
        | "advertisement"
        | "advertisements"
        | "targeting"
        | "campaigns"
        | "social"
        | "socialmedia"
        | "socialnetworking"
        | "behavioraladvertising"
        | "targetedadvertising" => Kinds::MARKETING,
        _ => Kinds::NONE,
    };
    Meaning::of(kinds)
}

/// What a service of this name is for; else as for a category.
pub(super) fn of_service(name: &str) -> Meaning {
    known_service(name).map_or_else(|| of_name(name), Meaning::of)
}

/// What the best-known services are for, under the names that tools give them.
pub(super) fn known_service(name: &str) -> Option<Kinds> {
    Some(match &*plain(name) {
        "gtag" | "ga" | "gajs" | "ga4" | "googleanalytics" | "universalanalytics" | "multiplegtag" | "analytics"
        | "matomo" | "piwik" | "hotjar" | "clarity" | "microsoftclarity" | "mixpanel" | "segment" | "amplitude"
        | "plausible" | "fathom" | "atinternet" | "contentsquare" | "fullstory" | "mouseflow" | "heap"
        | "yandexmetrica" | "etracker" | "posthog" => Kinds::ANALYTICS,
        "facebook"
        | "facebookpixel"
        | "metapixel"
        | "googleads"
        | "googleadwordsconversion"
        | "googleadwordsremarketing"
        | "adsense"
        | "googleadsense"
        | "doubleclick"
        | "linkedin"
        | "linkedininsight"
        | "twitter"
        | "twitterpixel"
        | "tiktok"
        | "tiktokpixel"
        | "criteo"
        | "bing"
        | "bingads"
        | "pinterest"
        | "snapchat"
        | "outbrain"
        | "taboola"
        | "adroll"
        | "hubspot"
        | "activecampaign"
        | "redditpixel"
        | "googleconversionlinker" => Kinds::MARKETING,
        "youtube" | "vimeo" | "dailymotion" | "googlemaps" | "maps" | "openstreetmap" | "recaptcha" | "intercom"
        | "zendesk" | "typeform" | "calendly" | "spotify" | "soundcloud" | "crisp" => Kinds::FUNCTIONAL,
        "vwo" | "optimizely" | "abtasty" | "kameleoon" => Kinds::PERFORMANCE,
        _ => return None,
    })
}

/// One name for a service that has several: the catalogue's, in plain letters.
pub(super) fn service_name(name: &str) -> String {
    let plain = plain(name);
    let known = match &*plain {
        "gtag" | "ga" | "gajs" | "ga4" | "universalanalytics" | "multiplegtag" | "analytics" => "googleanalytics",
        "facebookpixel" | "facebook" => "metapixel",
        "googleadwordsconversion" | "googleadwordsremarketing" | "googleconversionlinker" => "googleads",
        "adsense" => "googleadsense",
        "linkedin" => "linkedininsight",
        "twitter" | "twitterpixel" => "twitterads",
        "tiktok" => "tiktokpixel",
        "bing" | "bingads" => "microsoftads",
        "clarity" => "microsoftclarity",
        "pinterest" => "pinteresttag",
        "snapchat" => "snapchatpixel",
        "piwik" => "matomo",
        "maps" => "googlemaps",
        _ => return plain,
    };
    known.to_owned()
}

/// Letter case, and how words are joined, differ from site to site.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
