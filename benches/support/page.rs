//! The page that all benches measure: made here, so that anybody measures the same bytes.

/// What a page holds of others, by the number of the article after which it stands.
pub(crate) struct Trackers {
    pub(crate) script: fn(usize) -> String,
    pub(crate) pixel: fn(usize) -> String,
    pub(crate) snippet: fn(usize) -> String,
    pub(crate) frame: fn(usize) -> String,
}

/// Of hosts that no catalogue knows; a policy must name them.
#[allow(dead_code, reason = "not every bench wants both")]
pub(crate) const MADE_UP: Trackers = Trackers {
    script: |i| format!("https://cdn.t{i}.example/tag.js?id=UA-{i}"),
    pixel: |i| format!("//px.t{i}.example/p.gif?e=view&amp;i={i}"),
    snippet: |i| format!("!function(f){{f.q=[]}}(window);fbq('init', '{i}');"),
    frame: |i| format!("https://www.t{i}.example/embed"),
};

/// As they are met: everything that names one of [`HOSTS`] or [`SNIPPET`] is a tracker's.
#[allow(dead_code, reason = "not every bench wants both")]
pub(crate) const REAL: Trackers = Trackers {
    script: |i| format!("https://www.googletagmanager.com/gtag/js?id=G-{i}"),
    pixel: |i| format!("//www.facebook.com/tr?id={i}&amp;ev=PageView&amp;noscript=1"),
    snippet: |i| format!("!function(f){{f.q=[]}}(window);fbq('init', '{i}');"),
    frame: |i| format!("https://td.doubleclick.net/td/rul/{i}"),
};

/// A news page of about 115 KB, 31 KB gzipped: articles with links, images and icons; 60 candidates, of which `trackers`
/// are others'.
pub(crate) fn page(candidates: usize, trackers: usize, of: &Trackers) -> Vec<u8> {
    let mut page = String::from("<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Today</title>\n");
    let mut words = Words(1);
    let mut tracked = 0;
    let mut article = 0;
    while page.len() < 115_000 {
        let i = article;
        article += 1;
        let (title, first, stressed, then) = (words.next(5), words.next(28), words.next(1), words.next(8));
        let (before, link, after) = (words.next(9), words.next(1), words.next(32));
        page.push_str(&format!(
            "<article class=\"card card--{i}\" id=\"a{i}\"><header><h2 class='title'><a href=\"/news/{i}.html\" \
             class=\"link link--title\">{title} &amp; more</a></h2><span class=\"meta\">by <b>Somebody</b></span></header>\n\
             <div class=\"body\"><p>{first} <em>{stressed}</em> {then}.</p>\n<p>{before} \
             <a href=\"https://elsewhere.example/{i}?ref=shop&amp;x=1\" rel=\"noopener\">{link}</a> {after}.</p></div>\
             </article>\n"
        ));
        if i < candidates {
            page.push_str(&match (i % 4, tracked < trackers && i % 5 == 0) {
                (0, true) => format!("<script async src=\"{}\"></script>\n", (of.script)(i)),
                (1, true) => format!("<img height=1 width=1 src=\"{}\">\n", (of.pixel)(i)),
                (2, true) => format!("<script>{}</script>\n", (of.snippet)(i)),
                (_, true) => format!("<iframe src=\"{}\" width=560></iframe>\n", (of.frame)(i)),
                (0, _) => format!("<script src=\"/assets/app.{i}.js\" defer></script>\n"),
                (1, _) => {
                    format!("<img class=\"lazy\" src=\"/img/{i}.jpg\" srcset=\"/img/{i}.jpg 1x, /img/{i}b.jpg 2x\">\n")
                }
                (2, _) => {
                    format!("<script>window.app=window.app||[];window.app.push({{id:{i},name:\"card\"}});</script>\n")
                }
                _ => format!("<link rel=\"preload\" as=\"image\" href=\"https://cdn.shop.example/img/{i}.jpg\">\n"),
            });
            tracked += usize::from(i % 5 == 0);
        }
    }
    page.push_str("</html>");
    page.into_bytes()
}

/// Text that compresses as prose does, and is always the same.
struct Words(u64);

impl Words {
    fn next(&mut self, count: usize) -> String {
        const SYLLABLES: &str =
            "al ber con de en fer gra hin is jo ka lo men no or pre qui ra so ter un ver wi xa yo za";
        const ENDINGS: [&str; 11] = ["", "e", "en", "er", "es", "ing", "ion", "ly", "ment", "s", "t"];
        let syllables: Vec<&str> = SYLLABLES.split(' ').collect();
        let mut words = Vec::with_capacity(count);
        for _ in 0..count {
            let mut word = String::new();
            for _ in 0..=self.draw(2) {
                word.push_str(syllables[self.draw(syllables.len())]);
            }
            word.push_str(ENDINGS[self.draw(ENDINGS.len())]);
            words.push(word);
        }
        words.join(" ")
    }

    /// Knuth's linear congruential generator.
    fn draw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}
