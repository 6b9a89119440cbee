//! Mode `observe`: nothing is changed.

use crate::support::{Client, HOST, Origin, Proxy, block_on};

#[test]
fn observe_changes_nothing() {
    block_on(async {
        let page = "<script src=https://px.adnet.example/a.js></script>";
        let headers = [
            ("content-type", "text/html"),
            ("etag", "\"e\""),
            ("set-cookie", "_ga=1; Max-Age=999999999"),
            ("set-cookie", "SHOPSID=1"),
            ("link", "<https://px.adnet.example/a.js>; rel=preload"),
        ];
        let origin = Origin::fixed(200, &headers, page).await;
        let proxy = Proxy::builder().site(HOST, origin.address, "mode: observe").start();
        let reply = Client::h2(&proxy).await.navigate("/", &[("cookie", "_ga=1; SHOPSID=2")]).await;
        assert_eq!(reply.text(), page);
        assert_eq!(reply.header("etag"), Some("\"e\""));
        assert_eq!(reply.set_cookies(), ["_ga=1; Max-Age=999999999", "SHOPSID=1"]);
        assert_eq!(reply.header("content-length"), Some(&*page.len().to_string()));
        assert!(reply.header("link").is_some());
        assert_eq!(origin.last().header("cookie"), Some("_ga=1; SHOPSID=2"));
    });
}
