//! The API: checks 12 to 16, who may call, and what callers may send.

use serde_json::{Value, json};
use vumi_worker::tagpool::{Tag, TagPools};

use crate::backends::{Keys, Running, on_each_backend, try_worker};

const CONFIG: &str = "
class: vumi.components.tagpool_api.TagpoolApiWorker
worker_name: tagpool_api
twisted_endpoint: tcp:0
web_path: api/v1/tagpool/
redis_manager: {key_prefix: vumi}
";

struct Rig {
    pools: TagPools,
    client: reqwest::Client,
    root: String,
    _worker: Running,
}

impl Rig {
    async fn start(keys: &Keys, config: &str) -> Self {
        let worker = Running::start(config, &keys.context()).await;
        let root = format!("http://{}", worker.at.clone().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let pools = TagPools::new(&keys.space.under("vumi"), keys.clock.clone());
        Self { pools, client, root, _worker: worker }
    }

    async fn with_tags(keys: &Keys, names: &[&str]) -> Self {
        let rig = Self::start(keys, CONFIG).await;
        rig.pools.declare_tags(&names.iter().map(|name| Tag::new("P", *name)).collect::<Vec<_>>()).await.unwrap();
        rig
    }

    fn post(&self) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/api/v1/tagpool", self.root))
    }

    async fn send(&self, body: impl Into<reqwest::Body>) -> Value {
        let answer = self.post().body(body).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        answer.json().await.unwrap()
    }

    async fn call(&self, request: Value) -> Value {
        self.send(request.to_string()).await
    }

    /// The result of a call with an id.
    async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.call(json!({"method": method, "params": params, "id": "x"})).await;
        assert_eq!((&answer["error"], &answer["id"]), (&Value::Null, &json!("x")), "{answer}");
        answer["result"].clone()
    }

    /// The text of a fault with code 8002.
    async fn fault(&self, method: &str, params: Value) -> String {
        let answer = self.call(json!({"method": method, "params": params})).await;
        assert_eq!(answer["faultCode"], 8002, "{answer}");
        answer["faultString"].as_str().unwrap().to_owned()
    }
}

on_each_backend! {
    async fn check_12_three_shapes(keys: Keys) {
        let rig = Rig::with_tags(&keys, &["t1", "t2", "t3"]).await;
        let call = json!({"method": "acquire_tag", "params": ["P"]});
        assert_eq!(rig.call(call.clone()).await, json!([["P", "t1"]]));
        let with = |id: bool, version: bool| {
            let mut call = call.clone();
            if id {
                call["id"] = json!(7);
            }
            if version {
                call["jsonrpc"] = json!("2.0");
            }
            call
        };
        assert_eq!(rig.call(with(true, false)).await, json!({"result": ["P", "t2"], "error": null, "id": 7}));
        assert_eq!(rig.call(with(true, true)).await, json!({"jsonrpc": "2.0", "result": ["P", "t3"], "id": 7}));
        assert_eq!(rig.call(call.clone()).await, json!([null]));
        assert_eq!(rig.call(with(true, false)).await, json!({"result": null, "error": null, "id": 7}));
        assert_eq!(rig.call(with(false, true)).await, json!({"jsonrpc": "2.0", "result": null, "id": null}));
    }

    async fn check_13_faults(keys: Keys) {
        let rig = Rig::with_tags(&keys, &["t1"]).await;
        let nope = rig.call(json!({"method": "nope", "params": []})).await;
        assert_eq!(nope["faultCode"], -32601);
        assert!(nope["fault"].is_string() && nope["faultString"].as_str().unwrap().contains("nope"), "{nope}");
        rig.result("acquire_tag", json!(["P"])).await;
        let text = "1 tags of pool P still in use.";
        let answer = rig.call(json!({"method": "purge_pool", "params": ["P"], "id": 1})).await;
        let error = json!({"fault": "Fault", "faultCode": 8002, "faultString": text});
        assert_eq!(answer, json!({"result": null, "error": error, "id": 1}));
        let answer = rig.call(json!({"method": "purge_pool", "params": ["P"], "id": 1, "jsonrpc": "2.0"})).await;
        let error = json!({"code": 8002, "message": text, "data": text});
        assert_eq!(answer, json!({"jsonrpc": "2.0", "error": error, "id": 1}));
    }

    async fn check_14_parameters_are_checked(keys: Keys) {
        let rig = Rig::with_tags(&keys, &["t1"]).await;
        for (method, params, text) in [
            ("acquire_tag", json!([5]), "Unicode value expected for pool (got 5)"),
            ("acquire_tag", json!([]), "Positional argument 'pool' missing but no default is available."),
            ("acquire_tag", json!([null]), "pool may not be None (got None)"),
            ("acquire_tag", json!(["P", true]), "Unicode value expected for owner (got True)"),
            ("acquire_tag", json!(["P", null, "x"]), "Dict value expected for reason (got u'x')"),
            ("free_tags", json!(["P", "x"]), "Too many positional arguments."),
            ("release_tag", json!(["P"]), "Tag tag must be a list or tuple (got u'P')"),
            (
                "release_tag",
                json!([["P"]]),
                "Tag tag must contain two elements, a tag pool and a tag name (got [\"P\"])",
            ),
            ("release_tag", json!([["P", 1]]), "Unicode value expected for the name of tag (got 1)"),
            ("declare_tags", json!([{}]), "List value expected for tags (got {})"),
            ("declare_tags", json!([[["P", "t9"], 5]]), "Tag items of tags must be a list or tuple (got 5)"),
            ("set_metadata", json!(["P", []]), "Dict value expected for metadata (got [])"),
            ("set_metadata", json!(["P"]), "Positional argument 'metadata' missing but no default is available."),
            ("owned_tags", json!([]), "Positional argument 'owner' missing but no default is available."),
            ("acquire_tag", json!({"pool": "P"}), "Keyword parameters not yet supported."),
        ] {
            assert_eq!(rig.fault(method, params).await, text);
        }
        assert_eq!(rig.result("free_tags", json!(["P"])).await, json!([["P", "t1"]]), "nothing was done");
    }

    async fn check_15_what_there_is(keys: Keys) {
        let rig = Rig::start(&keys, CONFIG).await;
        let signature = rig.result("system.methodSignature", json!(["acquire_tag"])).await;
        assert_eq!(signature, json!([["array", "string", "string", "struct"]]));
        let methods = rig.result("system.listMethods", json!([])).await;
        let methods: Vec<&str> = methods.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(methods.contains(&"acquire_tag") && methods.is_sorted(), "{methods:?}");
        assert_eq!(methods.len(), 15);
        for method in methods {
            let help = rig.result("system.methodHelp", json!([method])).await;
            let mut lines = help.as_str().unwrap().lines();
            assert!(!lines.next().unwrap().is_empty() && lines.next().unwrap().is_empty(), "{method}: {help}");
            assert!(lines.any(|line| line.starts_with(":rtype ")), "{method}: {help}");
            assert!(!rig.result("system.methodSignature", json!([method])).await.as_array().unwrap().is_empty());
        }
        let unknown = rig.call(json!({"method": "system.methodHelp", "params": ["nope"]})).await;
        assert_eq!(unknown["faultCode"], -32601);
    }

    async fn check_16_health(keys: Keys) {
        let rig = Rig::start(&keys, CONFIG).await;
        for path in ["/health/", "/health"] {
            let answer = rig.client.get(format!("{}{path}", rig.root)).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "OK"));
        }
    }

    async fn check_17_clients_get_different_tags(keys: Keys) {
        let names: Vec<String> = (0..50).map(|n| format!("t{n:02}")).collect();
        let rig = Rig::with_tags(&keys, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let client = |_| {
            let request = rig.post().body(r#"{"method": "acquire_tag", "params": ["P", "me"], "id": 1}"#);
            tokio::spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() })
        };
        let mut taken = Vec::new();
        for call in (0..60).map(client).collect::<Vec<_>>() {
            let answer = call.await.unwrap();
            taken.extend(answer["result"].as_array().map(|tag| tag[1].as_str().unwrap().to_owned()));
        }
        taken.sort();
        assert_eq!(taken, names);
    }

    async fn every_method_works(keys: Keys) {
        let rig = Rig::start(&keys, CONFIG).await;
        let tags = json!([["P", "t1"], ["P", "t2"]]);
        assert_eq!(rig.result("declare_tags", json!([tags])).await, Value::Null);
        assert_eq!(rig.result("list_pools", json!([])).await, json!(["P"]));
        let acquired = rig.result("acquire_specific_tag", json!([["P", "t2"], "me", {"why": 1}])).await;
        assert_eq!(acquired, json!(["P", "t2"]));
        assert_eq!(rig.result("acquire_specific_tag", json!([["P", "t2"]])).await, Value::Null);
        assert_eq!(rig.result("inuse_tags", json!(["P"])).await, json!([["P", "t2"]]));
        assert_eq!(rig.result("free_tags", json!(["P"])).await, json!([["P", "t1"]]));
        let held = rig.result("acquired_by", json!([["P", "t2"]])).await;
        assert_eq!((&held[0], &held[1]["why"], held.as_array().unwrap().len()), (&json!("me"), &json!(1), 2));
        assert_eq!(rig.result("acquired_by", json!([["P", "t1"]])).await, json!([null, null]));
        assert_eq!(rig.result("owned_tags", json!(["me"])).await, json!([["P", "t2"]]));
        assert_eq!(rig.result("acquire_tag", json!(["P", null, null])).await, json!(["P", "t1"]));
        assert_eq!(rig.result("owned_tags", json!([null])).await, json!([["P", "t1"]]));
        assert_eq!(rig.result("set_metadata", json!(["P", {"a": {"b": 1.50}}])).await, Value::Null);
        assert_eq!(rig.result("get_metadata", json!(["P"])).await, json!({"a": {"b": 1.50}}));
        for name in ["t1", "t2"] {
            assert_eq!(rig.result("release_tag", json!([["P", name]])).await, Value::Null);
        }
        assert_eq!(rig.result("purge_pool", json!(["P"])).await, Value::Null);
        assert_eq!(rig.result("list_pools", json!([])).await, json!([]));
    }

    async fn named_parameters_with_version_2(keys: Keys) {
        let rig = Rig::with_tags(&keys, &["t1"]).await;
        let call = async |params: Value| {
            rig.call(json!({"method": "acquire_tag", "params": params, "id": 1, "jsonrpc": "2.0"})).await
        };
        let answer = call(json!({"owner": "me", "pool": "P"})).await;
        assert_eq!(answer["result"], json!(["P", "t1"]));
        assert_eq!(rig.pools.owned_tags(Some("me")).await.unwrap(), [Tag::new("P", "t1")]);
        let missing = call(json!({"owner": "me"})).await;
        assert_eq!(missing["error"]["data"], "Positional argument 'pool' missing but no default is available.");
        let unknown = call(json!({"pool": "P", "colour": 1})).await;
        assert_eq!(unknown["error"]["code"], 8002);
        assert_eq!(unknown["error"]["data"], "There is no argument 'colour'.");
    }

    async fn what_is_no_request_is_answered_in_all_shapes(keys: Keys) {
        let rig = Rig::start(&keys, CONFIG).await;
        let deep = "[".repeat(100_000);
        let cases = [("", -32700), ("{", -32700), ("\u{fffd}", -32700), (&deep, -32700), ("[]", -32600), ("5", -32600)];
        for (body, code) in cases {
            let answer = rig.send(body.to_owned()).await;
            // Each client finds the code where it looks: bare, 1.0, 2.0.
            assert_eq!(answer["faultCode"], code, "{answer}");
            assert_eq!(answer["error"]["faultCode"], code, "{answer}");
            assert_eq!((&answer["jsonrpc"], &answer["error"]["code"]), (&json!("2.0"), &json!(code)), "{answer}");
            assert!(answer["error"]["data"].is_string() && answer["faultString"].is_string(), "{answer}");
        }
        let answer = rig.call(json!({"jsonrpc": "2.0", "id": 5})).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(5)));
    }

    async fn other_paths_and_methods(keys: Keys) {
        let rig = Rig::start(&keys, CONFIG).await;
        for (method, path, status) in [
            ("GET", "/api/v1/tagpool", 405),
            ("PUT", "/api/v1/tagpool/", 405),
            ("POST", "/health/", 405),
            ("POST", "/api/v1", 404),
            ("GET", "/", 404),
        ] {
            let request = rig.client.request(method.parse().unwrap(), format!("{}{path}", rig.root));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        }
    }

    async fn a_body_that_is_too_large_is_refused(keys: Keys) {
        let rig = Rig::start(&keys, CONFIG).await;
        match rig.post().body(vec![b' '; 9 * 1024 * 1024]).send().await {
            Ok(answer) => assert_eq!(answer.status().as_u16(), 413),
            // The server answered and closed while the body was still being sent.
            Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
        }
        assert_eq!(rig.result("list_pools", json!([])).await, json!([]));
    }

    async fn basic_protection(keys: Keys) {
        let rig = Rig::start(&keys, &format!("{CONFIG}\nusername: ann\npassword: 'pä:ss'\n")).await;
        let call = || rig.post().body(r#"{"method": "list_pools", "params": []}"#);
        for refused in [
            call(),
            call().basic_auth("ann", Some("pä:sS")),
            call().basic_auth("ann", None::<&str>),
            call().basic_auth("Ann", Some("pä:ss")),
            call().header("authorization", "Basic %%%"),
            call().bearer_auth("YW5uOnDDpDpzcw=="),
        ] {
            let answer = refused.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 401);
            assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
        }
        let answer = call().basic_auth("ann", Some("pä:ss")).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), json!([[]]));
        let health = rig.client.get(format!("{}/health/", rig.root)).send().await.unwrap();
        assert_eq!(health.status().as_u16(), 200, "health is for everybody");
    }
}

#[tokio::test]
async fn it_listens_on_this_machine_alone_unless_told_otherwise() {
    let keys = Keys::in_memory();
    let context = keys.context();
    for endpoint in ["twisted_endpoint: tcp:0", "port: 0", "twisted_endpoint: 'tcp:port=0:interface=127.0.0.1'"] {
        let worker = Running::start(&format!("class: tagpool_api\nweb_path: /x/\n{endpoint}\n"), &context).await;
        assert!(worker.at.as_ref().unwrap().starts_with("127.0.0.1:"), "{endpoint}: {:?}", worker.at);
        worker.stop().await;
    }
    let error = try_worker("class: tagpool_api\nweb_path: /x/\n", &context).err().unwrap();
    assert!(error.contains("Missing required config field 'twisted_endpoint'"), "{error}");
    let error = try_worker("class: tagpool_api\nweb_path: /x/\ntwisted_endpoint: 9010\n", &context).err().unwrap();
    assert!(error.contains("is not a valid server endpoint") || error.contains("expected a string"), "{error}");
}

#[tokio::test]
async fn two_workers_cannot_have_one_port() {
    let keys = Keys::in_memory();
    let context = keys.context();
    let first = Running::start("{class: tagpool_api, web_path: /x/, port: 0}", &context).await;
    let port = first.at.as_ref().unwrap().rsplit_once(':').unwrap().1;
    let yaml = format!("{{class: tagpool_api, web_path: /x/, port: {port}}}");
    let second = crate::backends::worker(&yaml, &context);
    let error = second.run(tokio_util::sync::CancellationToken::new()).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().starts_with("cannot listen on 127.0.0.1:"), "{error}");
}
