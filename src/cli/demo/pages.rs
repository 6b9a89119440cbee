//! The shop's pages and static files. Legacy pages: trackers in every head, and no question asked.

use std::io::Write as _;
use std::time::Duration;

use askama::Template;
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use url::form_urlencoded;

use super::body::Body;
use super::session::Session;
use super::shop::{Visit, answer};

const HTML: &str = "text/html; charset=utf-8";
/// Where `/slow` makes its pause.
const PAUSE: &str = "<!-- the rest comes later -->";

/// Something to buy.
pub(super) struct Product {
    pub(super) id: u8,
    pub(super) slug: &'static str,
    name: &'static str,
    note: &'static str,
    cents: u32,
    colours: [&'static str; 2],
}

const PRODUCTS: [Product; 6] = [
    product(
        1,
        "harbour",
        "Harbour Breakfast",
        "Assam and Ceylon, strong enough for rain.",
        890,
        ["#7a2e1f", "#c9703f"],
    ),
    product(2, "meadow", "Meadow", "Camomile and lemon balm, for the evening.", 740, ["#5d6b2f", "#a9b665"]),
    product(3, "lighthouse", "Lighthouse", "Lapsang with a trace of smoke.", 1050, ["#27394a", "#6f8ca3"]),
    product(4, "orchard", "Orchard", "Apple, rose hip, a little cinnamon.", 690, ["#8c2f45", "#d07a8b"]),
    product(5, "first-snow", "First Snow", "White tea, picked before the leaves open.", 1490, ["#5b6f73", "#b6c7c9"]),
    product(6, "night-ferry", "Night Ferry", "Earl Grey with blue cornflowers.", 950, ["#33305c", "#7d79b8"]),
];

const fn product(
    id: u8,
    slug: &'static str,
    name: &'static str,
    note: &'static str,
    cents: u32,
    colours: [&'static str; 2],
) -> Product {
    Product { id, slug, name, note, cents, colours }
}

impl Product {
    /// The product of this name in addresses and forms.
    pub(super) fn find(slug: &str) -> Option<&'static Self> {
        PRODUCTS.iter().find(|product| product.slug == slug)
    }

    fn price(&self) -> String {
        euros(self.cents)
    }
}

/// A row of the cart.
pub(super) struct Line {
    pub(super) product: &'static Product,
    pub(super) quantity: u8,
}

impl Line {
    fn cents(&self) -> u32 {
        self.product.cents * u32::from(self.quantity)
    }

    fn price(&self) -> String {
        euros(self.cents())
    }
}

/// The cart as rows.
pub(super) fn lines(session: &Session) -> Vec<Line> {
    PRODUCTS.iter().filter_map(|product| Some(Line { product, quantity: *session.cart.get(&product.id)? })).collect()
}

fn euros(cents: u32) -> String {
    format!("€ {}.{:02}", cents / 100, cents % 100)
}

/// One field of a posted form.
pub(super) fn field(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

/// How a page leaves the origin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Brotli,
}

macro_rules! page {
    ($name:ident, $path:literal $(, $field:ident: $kind:ty)*) => {
        #[derive(Template)]
        #[template(path = $path)]
        struct $name<'a> {
            session: &'a Session,
            $($field: $kind,)*
        }
    };
}

page!(Home, "shop/home.html", products: &'static [Product]);
page!(Video, "shop/video.html");
page!(Live, "shop/live.html");
page!(Cart, "shop/cart.html", lines: Vec<Line>, total: String);
page!(Login, "shop/login.html", problem: Option<&'static str>);
page!(Account, "shop/account.html");
page!(Slow, "shop/slow.html");
page!(Message, "shop/message.html", title: &'static str, text: &'static str);

/// The front page, coded as asked, with a strong validator.
pub(super) fn home(visit: &Visit, coding: Coding, headers: &HeaderMap) -> Response<Body> {
    let page = render(&Home { session: &visit.session, products: &PRODUCTS });
    let mut crc = flate2::Crc::new();
    crc.update(page.as_bytes());
    let etag = format!("\"{:08x}-{}\"", crc.sum(), coding as u8);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|sent| sent == etag.as_str());
    let mut response = if known {
        let mut response = Response::new(Body::full(""));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let bytes = match coding {
            Coding::Identity => page.into(),
            Coding::Gzip => gzip(page.as_bytes()),
            Coding::Brotli => brotli(page.as_bytes()),
        };
        answer(StatusCode::OK, HTML, bytes)
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).expect("hexadecimal digits"));
    match coding {
        _ if known => {}
        Coding::Identity => {}
        Coding::Gzip => drop(headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))),
        Coding::Brotli => drop(headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"))),
    }
    response
}

/// A page whose head comes at once and whose rest takes its time.
pub(super) fn slow(visit: &Visit, wait: Duration) -> Response<Body> {
    let page = Bytes::from(render(&Slow { session: &visit.session }));
    let cut = page.windows(PAUSE.len()).position(|text| text == PAUSE.as_bytes()).unwrap_or_default();
    let pieces = [(Duration::ZERO, page.slice(..cut)), (wait, page.slice(cut..))];
    let mut response = Response::new(Body::paced(pieces));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    response
}

/// A page with an embedded video.
pub(super) fn video(visit: &Visit) -> Response<Body> {
    ok(&Video { session: &visit.session })
}

/// A page that talks to `/ws` and listens to `/events`.
pub(super) fn live(visit: &Visit) -> Response<Body> {
    ok(&Live { session: &visit.session })
}

/// What is in the cart.
pub(super) fn cart(visit: &Visit) -> Response<Body> {
    let lines = lines(&visit.session);
    let total = euros(lines.iter().map(Line::cents).sum());
    ok(&Cart { session: &visit.session, lines, total })
}

/// The form to sign in, with what was wrong the last time.
pub(super) fn login(visit: &Visit, problem: Option<&'static str>) -> Response<Body> {
    ok(&Login { session: &visit.session, problem })
}

/// For those who signed in.
pub(super) fn account(visit: &Visit) -> Response<Body> {
    ok(&Account { session: &visit.session })
}

/// A 404 in the shop's own dress.
pub(super) fn missing(visit: &Visit) -> Response<Body> {
    let text = "We looked on every shelf. Perhaps it was sold.";
    let page = render(&Message { session: &visit.session, title: "Not found", text });
    answer(StatusCode::NOT_FOUND, HTML, page)
}

/// A 500 that sets cookies as every other page does.
pub(super) fn broken(visit: &Visit) -> Response<Body> {
    let text = "The kettle fell off the stove. This page always fails; it is here to be tried.";
    let page = render(&Message { session: &visit.session, title: "Something broke", text });
    answer(StatusCode::INTERNAL_SERVER_ERROR, HTML, page)
}

/// An image that, unlike other static files, comes with cookies.
pub(super) fn badge() -> Response<Body> {
    answer(StatusCode::OK, "image/png", Bytes::from_static(include_bytes!("assets/badge.png")))
}

/// Static files: the style sheet, the script and the drawings.
pub(super) fn asset(path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    const ETAG: &str = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");
    let (kind, bytes) = match path {
        "/assets/shop.css" => ("text/css", Bytes::from_static(include_bytes!("assets/shop.css"))),
        "/assets/shop.js" => ("text/javascript", Bytes::from_static(include_bytes!("assets/shop.js"))),
        "/assets/harbour.svg" => ("image/svg+xml", Bytes::from_static(include_bytes!("assets/harbour.svg"))),
        _ => {
            let slug = path.strip_prefix("/assets/tin/")?.strip_suffix(".svg")?;
            ("image/svg+xml", Bytes::from(tin(Product::find(slug)?)))
        }
    };
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|sent| sent == ETAG) {
        let mut response = Response::new(Body::full(""));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        answer(StatusCode::OK, kind, bytes)
    };
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static(ETAG));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
    Some(response)
}

fn tin(product: &Product) -> String {
    let [dark, light] = product.colours;
    include_str!("assets/tin.svg").replace("DARK", dark).replace("LIGHT", light)
}

fn ok(page: &impl Template) -> Response<Body> {
    answer(StatusCode::OK, HTML, render(page))
}

fn render(page: &impl Template) -> String {
    page.render().expect("writing into a string does not fail")
}

fn gzip(page: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(page).and_then(|()| encoder.finish()).expect("writing into memory does not fail").into()
}

fn brotli(page: &[u8]) -> Bytes {
    let mut coded = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut coded, 4096, 5, 20);
    encoder.write_all(page).expect("writing into memory does not fail");
    drop(encoder);
    coded.into()
}
