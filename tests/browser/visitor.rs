//! A visitor: a fresh browser before a demo of its own, with the rest of the web played by the test.

use std::future::Future;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::command::{Command as DriverCommand, ExtensionCommand};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};

use crate::elsewhere::{Elsewhere, SETTLED};
use crate::program::Program;
use crate::support::origin::Answer;
use crate::support::proxy::POLICY;
use crate::support::{Origin, Proxy};

/// The longest that a browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The browser first: dropping it ends the session while the driver still listens.
pub(crate) struct Visitor {
    pub(crate) browser: WebDriver,
    pub(crate) elsewhere: Elsewhere,
    /// The demo's address, without a slash at its end.
    pub(crate) site: String,
    _driver: Program,
    _demo: Option<Program>,
    _folder: TempDir,
}

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// Runs a test with a visitor of its own. A hang is a failure, not a stuck CI.
pub(crate) fn visit<F: Future<Output = ()>>(scripts: Scripts, test: impl FnOnce(Visitor) -> F) {
    run(async { test(Visitor::start(scripts).await).await });
}

/// Runs a test with a visitor of a site of its own, at `localhost`: these further keys, and pages by a function of
/// method and target. Its policy is [`POLICY`].
pub(crate) fn visit_site<F: Future<Output = ()>>(
    scripts: Scripts,
    extra: &str,
    page: impl Fn(&str) -> Answer + Send + Sync + 'static,
    test: impl FnOnce(Visitor) -> F,
) {
    visit_policy(scripts, POLICY, extra, page, test);
}

/// The same under another policy.
pub(crate) fn visit_policy<F: Future<Output = ()>>(
    scripts: Scripts,
    policy: &str,
    extra: &str,
    page: impl Fn(&str) -> Answer + Send + Sync + 'static,
    test: impl FnOnce(Visitor) -> F,
) {
    run(async {
        let origin = Origin::start(move |seen| page(&seen.target)).await;
        let to = format!("http://{}", origin.address);
        let proxy = Proxy::builder().site_with("localhost", &to, policy, extra).start();
        let site = format!("https://localhost:{}", proxy.address.port());
        let folder = tempfile::tempdir().unwrap();
        test(Visitor::at(site, None, folder, scripts).await).await;
    });
}

pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(120), test).await.expect("the test hangs");
    });
}

impl Visitor {
    async fn start(scripts: Scripts) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = Command::new(env!("CARGO_BIN_EXE_consentry"));
        demo.args(["demo", "--listen", "127.0.0.1:0", "--certs"]).arg(folder.path().join("certs"));
        let (demo, site) = Program::start(&mut demo, "the demo does not start", |line| {
            let url = line.split_whitespace().find(|word| word.starts_with("https://localhost:"))?;
            Some(url.trim_end_matches('/').to_owned())
        });
        Self::at(site, Some(demo), folder, scripts).await
    }

    /// With a browser that nobody has used, wherever the site is.
    pub(crate) async fn at(site: String, demo: Option<Program>, folder: TempDir, scripts: Scripts) -> Self {
        let mut driver = Command::new("chromedriver");
        driver.arg("--port=0").stderr(Stdio::null());
        let missing = "these tests need a browser: apt-get install chromium chromium-driver";
        let (driver, port) = Program::start(&mut driver, missing, |line| {
            line.trim_end().strip_suffix('.')?.rsplit_once("on port ")?.1.parse::<u16>().ok()
        });
        let elsewhere = Elsewhere::start().await;
        let capabilities = capabilities(&elsewhere, &folder, scripts);
        let browser = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        let browser = browser.expect("chromedriver starts no browser: apt-get install chromium chromium-driver");
        browser.set_page_load_timeout(PATIENCE).await.unwrap();
        browser.set_script_timeout(PATIENCE).await.unwrap();
        Self { browser, elsewhere, site, _driver: driver, _demo: demo, _folder: folder }
    }

    /// Opens a page of the demo as if its address had been typed, and waits until it has loaded.
    pub(crate) async fn open(&self, path: &str) {
        self.browser.goto(format!("{}{path}", self.site)).await.unwrap();
    }

    /// Waits until what the page asked for while it loaded is on its way: two requests of our own, made after it
    /// has loaded, have come back.
    pub(crate) async fn settle(&self) {
        let script = format!(
            "const done = arguments[0], ask = () => fetch('https://{SETTLED}/', {{ mode: 'no-cors' }});
            const after = () => setTimeout(() => ask().then(ask).then(() => done(null), error => done(String(error))));
            if (document.readyState === 'complete') after(); else addEventListener('load', after);"
        );
        let failed = self.browser.execute_async(script, Vec::new()).await.unwrap();
        assert_eq!(*failed.json(), Value::Null);
    }

    /// As [`Visitor::settle`], on pages that may not fetch: waits until the browser has had nothing to do, twice.
    pub(crate) async fn idle(&self) {
        let script = "const done = arguments[0];
            const idle = () => requestIdleCallback(() => requestIdleCallback(done));
            if (document.readyState === 'complete') idle(); else addEventListener('load', idle);";
        self.browser.execute_async(script, Vec::new()).await.unwrap();
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = eventually(css, async || self.browser.find(By::Css(css)).await.ok()).await;
        element.scroll_into_view().await.unwrap();
        element.click().await.unwrap();
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = eventually(css, async || self.browser.find(By::Css(css)).await.ok()).await;
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    /// Waits until this text is somewhere in the first such element.
    pub(crate) async fn reads(&self, css: &str, text: &str) {
        let what = format!("{css} says {text:?}");
        eventually(&what, async || {
            let found = self.browser.find(By::Css(css)).await.ok()?.text().await.ok()?;
            found.contains(text).then_some(())
        })
        .await;
    }

    /// Waits until the address is this one.
    pub(crate) async fn arrives(&self, url: &str) {
        eventually(url, async || (self.address().await == url).then_some(())).await;
    }

    pub(crate) async fn address(&self) -> String {
        self.browser.current_url().await.unwrap().to_string()
    }

    /// Ticks exactly these on our page, presses a button, and is led back to the shop.
    pub(crate) async fn choose(&self, ticks: &[&str], decision: &str) {
        self.open("/_consent/").await;
        for tick in ticks {
            self.click(&format!("input[name=category][value={tick}]")).await;
        }
        self.click(&format!("button[value={decision}]")).await;
        self.arrives(&format!("{}/", self.site)).await;
    }

    /// The cookie of this name that the browser would send to the shop.
    pub(crate) async fn cookie(&self, name: &str) -> Option<Cookie> {
        let cookies = self.browser.get_all_cookies().await.unwrap();
        cookies.into_iter().find(|cookie| cookie.name == name)
    }

    /// The names of all of them, sorted.
    pub(crate) async fn cookies(&self) -> Vec<String> {
        let cookies = self.browser.get_all_cookies().await.unwrap();
        let mut names: Vec<_> = cookies.into_iter().map(|cookie| cookie.name).collect();
        names.sort();
        names
    }

    /// What an expression of JavaScript is worth in the page.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        self.browser.execute(format!("return {expression}"), Vec::new()).await.unwrap().json().clone()
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, method: &'static str, params: Value) -> Value {
        let command = DriverCommand::ExtensionCommand(Box::new(DevTools { method, params }));
        self.browser.cmd(command).await.unwrap().value_json().unwrap()
    }

    /// What the console complained of since the last time it was asked.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.browser.browser_log().await.unwrap();
        let loud = log.into_iter().filter(|entry| ["SEVERE", "WARNING"].contains(&&*entry.level));
        loud.map(|entry| format!("{}: {}", entry.level, entry.message)).collect()
    }
}

fn capabilities(elsewhere: &Elsewhere, folder: &TempDir, scripts: Scripts) -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--ignore-certificate-errors",
        "--window-size=1280,900",
        &format!("--host-resolver-rules=MAP * {}, EXCLUDE localhost, EXCLUDE 127.0.0.1", elsewhere.address),
        &format!("--user-data-dir={}", folder.path().join("browser").display()),
    ] {
        capabilities.add_arg(argument).unwrap();
    }
    if scripts == Scripts::Off {
        let block = json!({ "profile.managed_default_content_settings.javascript": 2 });
        capabilities.add_experimental_option("prefs", block).unwrap();
    }
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    capabilities
}

/// Asks until the answer is yes.
pub(crate) async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = condition().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

#[derive(Debug)]
struct DevTools {
    method: &'static str,
    params: Value,
}

impl ExtensionCommand for DevTools {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({ "cmd": self.method, "params": self.params }))
    }

    fn method(&self) -> http::Method {
        http::Method::POST
    }

    fn endpoint(&self) -> std::sync::Arc<str> {
        "/goog/cdp/execute".into()
    }
}
