//! What frameworks hydrate from.

use super::*;

/// Literals that hold what would be refused as code.
const PAYLOADS: [&str; 24] = [
    r#"window.__reactRouterContext.streamController.enqueue("[\"track('init')\"]\n");"#,
    r#"window.__APOLLO_STATE__={"a":{"html":"<iframe src=\"https://bad.example/1\"> track('init')"}};"#,
    "window.__PRELOADED_STATE__ = {\n  a: [1, -2.5e3, !0, null, void 0],\n  b: 'track(\\'init\\')',\n}",
    r#"window["__MY_STATE__"] = JSON.parse("{\"a\":\"track('init')\"}");"#,
    r#"window.__INITIAL_STATE__=JSON.parse(decodeURIComponent("track('init')"))"#,
    r#"$_TSR.router={a:"track('init')"};$_TSR.e();document.currentScript.remove()"#,
    r#"$_TSR.router=($R=>$R[0]={m:$R[1]=["track('init')",$R[1]],d:new Date(1)})($R["tsr"]);$_TSR.e()"#,
    r#"window.__remixManifest={"a":"track('init')"};"#,
    r#"window.__remixContext = {"a":"track('init')"};__remixContext.p = function(v,e,p,x) { own(v) };"#,
    r#"__remixContext.r("routes/a", "d", {"a":"track('init')"});"#,
    r#"var __INITIAL_STATE__ = {"a":["track('init')"]}, __INITIAL_CONFIG__ = {"b":"track('init')"};"#,
    r#"window.___chunkMapping={"app":["track('init')"]};"#,
    r#"/*<![CDATA[*/window.___chunkMapping={"app":["track('init')"]};/*]]>*/"#,
    r#"self.__next_f.push([1,"track('init')"])"#,
    r#"(self.__next_f=self.__next_f||[]).push([0]);self.__next_f.push([1,"track('init')"])"#,
    r#"(self.__next_f = self.__next_f || []).push([1, "track('init')"])"#,
    r#"(window[Symbol.for("ApolloSSRDataTransport")] ??= []).push({"a":"track('init')"})"#,
    r#"window.__NUXT__=(function(a,b){b.x="track('init')";return {data:[{a:a,t:"track('init')"}],e:null}}("track('init')",{}));"#,
    r#"window.__NUXT__={};window.__NUXT__.config={public:{a:"track('init')"},app:{}}"#,
    r#"window.__X_DATA__=window.__X_DATA__||{};window.__X_DATA__.a=["track('init')"]"#,
    r#"_$HY.r["0-0"]={a:"track('init')"};"#,
    "{\n\t__sveltekit_1x = { base: new URL(\".\", location).pathname.slice(0, -1), env: {} };\n\tconst element = \
     document.currentScript.parentElement;\n\tPromise.all([import(\"/a.js\")]).then(([kit, app]) => {\n\t\tkit.start(app, \
     element, { node_ids: [0, 2], data: [null,{type:\"data\",data:{a:\"track('init')\"},uses:{}}], form: null });\n\t});\n}",
    "{ __sveltekit_1x = {}; const data = [{a:\"track('init')\"}]; kit.start(app, { data, error: null }); }",
    r#"__sveltekit_1x.resolve(1, () => [{a:"track('init')"}])"#,
];

/// Code, be it beside a payload, or in what looks like one.
const CODE: [&str; 28] = [
    "(self.__next_s=self.__next_s||[]).push([0,{\"children\":\"track('init')\"}])",
    "self.__next_s.push([0,{\"children\":\"track('init')\"}])",
    "window.x={};track('init')",
    "window.__X_DATA__={};track('init')",
    "window.__X_DATA__={}\ntrack('init')",
    "window.__X_DATA__={},track('init')",
    "window.__X_DATA__={a:track('init')}",
    "window.__X_DATA__=[{a:\"\"},track('init')]",
    "window.__X_DATA__=track('init')",
    "window.__X_DATA__.push(track('init'))",
    "window.__X_DATA__.push({}),track('init')",
    "window.__X_DATA__={a:`${track('init')}`}",
    "window.__X_DATA__={a:\"\\\\\"+track('init')+\"\"}",
    "window.__X_DATA__={a(){track('init')}}",
    "window.__X_DATA__={get a(){track('init')}}",
    "window.__X_DATA__={a:()=>track('init')}",
    "window.__X_DATA__={a:function(){track('init')}}",
    "window.__X_DATA__={a:/\"/,b:track('init')}//\"",
    "window.__NUXT__=(function(a){track('init')}(1))",
    "window.__NUXT__=(function(a){return {}}(track('init')))",
    "self.__next_f.push([1,\"x\"]);track('init')",
    "(self.__next_f=self.__next_f||[]).push([0]),track('init')",
    "window.__X_DATA__={};//\ntrack('init')",
    "window.__X_DATA__={};/* */track('init')",
    "{ __sveltekit_1x = {}; track('init') }",
    "{ __sveltekit_1x = {}; const data = [{}]; track('init', { data: [1] }) }",
    "track('init');window.__X_DATA__={}",
    "window.trackers=[\"track('init')\"]",
];

#[test]
fn payloads_stay() {
    for payload in PAYLOADS {
        for gating in [Gating::Remove, Gating::Neutralise] {
            let page = format!("<script nonce=n>{payload}</script>x");
            let settings = Settings { gating, ..settings() };
            assert_eq!(lossy(&rewrite_bytes(&settings, page.as_bytes())), page);
        }
    }
}

#[test]
fn code_beside_a_payload_is_judged() {
    for code in CODE {
        assert_eq!(rewrite(&format!("<script>{code}</script>x")), "<script></script>x", "{code}");
    }
}

/// Payloads are longer than anything that is held.
#[test]
fn long_payload_is_told_from_the_code_behind_it() {
    let mut settings = settings();
    settings.limits.inline_script = 400;
    let long = format!("\"{}track('init')\\\\\",", "\\\"a;".repeat(300));
    for payload in PAYLOADS {
        let page = format!("<script>{payload}</script>x").replace("\"track('init')\"", &format!("[{long}1]"));
        assert_eq!(lossy(&rewrite_bytes(&settings, page.as_bytes())), page);
    }
    for before in (0..500).step_by(7) {
        let payload = format!("window.__X_DATA__={{a:[{long}],b:\"{}\"}};", "b".repeat(before));
        let page = |code: &str| format!("<script>{payload}{code}</script>x");
        assert_eq!(lossy(&rewrite_bytes(&settings, page("own('init')").as_bytes())), page("own('init')"));
        let out = lossy(&rewrite_bytes(&settings, page("track('init')").as_bytes()));
        assert!(out.ends_with("</script>x") && !out.contains("};track"), "{before}: {out}");
    }
}
