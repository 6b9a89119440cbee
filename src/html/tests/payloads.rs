//! What frameworks hydrate from.

use proptest::prelude::*;

use super::*;

/// Literals that hold what would be refused as code.
const PAYLOADS: [&str; 42] = [
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
    r#"window.__INITIAL_STATE__={"r":new RegExp("a",""),"u":undefined,"h":"track('init')"};"#,
    r#"window.__INITIAL_STATE__={"m":new Map(Array.from([["a",1]])),"s":new Set(Array.from([])),"h":"track('init')"};"#,
    r#"window.__INITIAL_STATE__={"a":Array.prototype.slice.call({"0":1,"length":2}),"h":"track('init')"};"#,
    r#"window.__NUXT__={a:new Uint8Array([1]),b:new Uint8Array([1,2]).buffer,c:new Float64Array([1,2]).subarray(0,1),h:"track('init')"};"#,
    r#"window.__NUXT__={n:1/0,m:-1/0,z:-0,b:12n,f:.5,e:1e-7,h:"track('init')"};"#,
    r#"_$HY.r["0"]={"n":1/0,"h":"track('init')"};"#,
    r#"window.__X_DATA__={d:new Date("2020"),u:new URL("https://a.example/"),b:BigInt("1"),s:Symbol.for("a"),h:"track('init')"}"#,
    r#"window.__X_DATA__=Object.freeze({e:Object.assign(new TypeError("a"),{b:1}),o:Object.create(null),h:"track('init')"});"#,
    r#"window.__X_DATA__=Object.defineProperty({},"a",{value:"track('init')"});"#,
    r#"window.__X_DATA__={a:`b "$c" \`\${d}`,h:"track('init')"};"#,
    "window.__X_DATA__={a:`track('init')\n`}",
    r#"window.__X_DATA__={import:1,new:2,function:3,var:NaN,"a":!1,1:Infinity,h:"track('init')"};"#,
    "window.__X_DATA__={a:\"track('init')\"}\nwindow.__Y_DATA__=[\"track('init')\"]\n",
    r#"var __INITIAL_STATE__={};var __INITIAL_CONFIG__={"b":"track('init')"};"#,
    r#"window.__X_DATA__=window.__X_DATA__ ?? {a:"track('init')"}"#,
    r#"window.__NUXT__=(function(a,b){a[0]="track('init')";a["x"]=b;return {a:a,b:b,c:[a,-1]}})({},"track('init')");"#,
    r#"window.__NUXT__=(function(){return {t:"track('init')"}}());"#,
    r#"__sveltekit_1x.resolve(1, () => [{a:(function(a){a.b=a;return {a:a,h:"track('init')"}}({}))}])"#,
];

/// Code, be it beside a payload, or in what looks like one.
const CODE: [&str; 70] = [
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
    "window.__X_DATA__={};import \"track('init')\"",
    "window.__X_DATA__={}\nimport \"track('init')\"",
    "window.__X_DATA__={};import {a as b} from \"track('init')\"",
    "window.__X_DATA__={};import a from \"track('init')\"",
    "window.__X_DATA__={};export * from \"track('init')\"",
    "window.__X_DATA__={};export {a} from \"track('init')\"",
    "window.__X_DATA__={};import(\"track('init')\")",
    "window.__X_DATA__={a:import(\"track('init')\")}",
    "window.__X_DATA__={};let a=\"track('init')\";b(a)",
    "window.__X_DATA__={};a:import(\"track('init')\")",
    "var __sveltekit_1={};f({data:[]});import x from \"track('init')\"",
    "{ __sveltekit_1x = {}; f('data:[\"',import('track(\\'init\\')'),'\"]') ;track('init')}",
    "window.__X_DATA__={};(function(){var i=new Image;i.src=\"track('init')\"})()",
    "window.__X_DATA__={};(function(i){i.src=\"track('init')\"})(new Image)",
    "window.__X_DATA__={};(function(i){i.src=\"track('init')\"}(new Image()))",
    "window.__X_DATA__={};(function(i){i.src=\"track('init')\"}(__Y_DATA__))",
    "window.__X_DATA__={};(function(i){i.a=__Y_DATA__;i.a.src=\"track('init')\"}({}))",
    "window.__X_DATA__={};(function(x){window.x.src=\"track('init')\"}({}))",
    "window.__X_DATA__={};(function(a){location=\"track('init')\"}({}))",
    "window.__X_DATA__={};(function(a=track('init')){}())",
    "window.__X_DATA__={};(function({a}){a.src=\"track('init')\"}(document.images[0]))",
    "window.__X_DATA__={};(function(){document.body.innerHTML=\"track('init')\"}())",
    "window.__X_DATA__={};(function(a){a.b=1;return a}({}))(\"track('init')\")",
    "window.__X_DATA__={};new Image().src=\"track('init')\"",
    "window.__X_DATA__={};i.src=\"track('init')\"",
    "window.__X_DATA__={},i.src=\"track('init')\"",
    "window.__X_DATA__.src=\"track('init')\"",
    "window.__X_DATA__={};window.__Y_DATA__[\"innerHTML\"]=\"track('init')\"",
    "window.__X_DATA__={};window.__X_DATA__.a.constructor(\"track('init')\")()",
    "window.__X_DATA__=[][\"constructor\"][\"constructor\"](\"track('init')\")()",
    "window.__X_DATA__=document.write;window.__X_DATA__(\"track('init')\")",
    "window.__X_DATA__={a:eval,b:\"track('init')\"}",
    "window.__X_DATA__=import`track('init')`",
    "window.__X_DATA__={a:b`track('init')`}",
    "window.__X_DATA__={a:[...f(\"track('init')\")]}",
    "window.__X_DATA__={...f(\"track('init')\")}",
    "window.__X_DATA__={[f(\"track('init')\")]:1}",
    "window.__X_DATA__={a:/`/,b:track('init')}//`",
    "window.__X_DATA__={a:1/b/track('init')}",
    "window.__X_DATA__={};im\\u0070ort(\"track('init')\")",
    "window.__X_DATA__={};<!-- `\ntrack('init')//`",
    "window.__X_DATA__={a:async()=>{await f(\"track('init')\")}}",
];

/// Neither the stack nor the time runs out in what is nested without end.
#[test]
fn deep_payloads_are_judged() {
    let mut settings = settings();
    settings.limits.inline_script = 1 << 20;
    let opens = [
        "[",
        "(function(){return[",
        "(function(){return[/**/1,/*data:",
        "data:[(function(){return[/**/1,/*",
        "data:[/*",
        "data:[//",
    ];
    for open in opens {
        let page = format!("<script>__sveltekit_1x={};track('init')</script>x", open.repeat(5_000));
        assert!(rewrite_bytes(&settings, page.as_bytes()) == b"<script></script>x", "{open}");
    }
}

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
    // A function is seen whole or judged.
    for payload in PAYLOADS.into_iter().filter(|payload| !payload.contains("(function(")) {
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

proptest! {
    /// Where quotes are paired nothing hides a call, a tag or an import.
    #[test]
    fn code_amid_tokens_is_judged(before in tokens(), code in 0..CALLS.len(), after in tokens()) {
        let page = format!("<script>window.__X_DATA__={before}{}{after}</script>x", CALLS[code]);
        prop_assert_eq!(rewrite(&page), "<script></script>x", "{}", page);
    }
}

const CALLS: [&str; 8] = [
    " track('init')",
    " f(\"track('init')\")",
    " f`track('init')`",
    " import \"track('init')\"",
    " i.src=\"track('init')\"",
    "['constructor'](\"track('init')\")",
    " new Image(\"track('init')\")",
    " i?.[0](\"track('init')\")",
];

fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        ";",
        "\n",
        " ",
        "=",
        "=>",
        "()=>",
        "!",
        "||",
        "-",
        ".",
        "...",
        "/**/",
        "//'\n",
        "\"a\"",
        "`b`",
        "1",
        "1/0",
        "null",
        "a",
        "a:",
        "a.b",
        "void ",
        "new ",
        "return ",
        "var ",
        "__NUXT__",
        "window.__X_DATA__=",
        "$R[0]=",
        "($R=>",
        "__NUXT__.push(",
        "(function(a){",
        "}(1))",
        "new Date(",
        "Object(",
        ").buffer",
        "data:[",
    ]);
    prop::collection::vec(token, 0..9).prop_map(|tokens| tokens.concat())
}
