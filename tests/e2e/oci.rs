//! Components in a real OCI registry: pushed and pulled by the binary, and what is refused on the way.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use vumi_test_servers::OciRegistry;
use vumi_tests::guests::{guest, scratch};
use vumi_tests::host::binary;

/// `vumi-host` with a home of its own, so that no login of this machine's user is seen.
fn run(home: &Path, env: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(binary());
    command.args(args).current_dir(home).env("HOME", home).stdin(Stdio::null());
    for name in
        ["DOCKER_CONFIG", "VUMI_REGISTRY_USER", "VUMI_REGISTRY_PASSWORD", "http_proxy", "HTTP_PROXY", "ALL_PROXY"]
    {
        command.env_remove(name);
    }
    let output = command.envs(env.iter().copied()).output().expect("the binary can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn right(ended: (Option<i32>, String, String)) -> String {
    let (code, stdout, stderr) = ended;
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    stdout
}

/// A refusal: one report, no stack trace, nothing on standard output.
#[track_caller]
fn refused(ended: (Option<i32>, String, String)) -> String {
    let (code, stdout, stderr) = ended;
    assert!(matches!(code, Some(1 | 64)) && stdout.is_empty(), "{code:?} {stdout}{stderr}");
    let report = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{stderr}"));
    assert!(!stderr.contains("panicked"), "{stderr}");
    report.to_owned()
}

/// A request to the registry itself; the status and the body of its answer.
fn ask(registry: &OciRegistry, method: Method, path: &str, body: String) -> (StatusCode, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answered = async {
        let client = Client::builder().no_proxy().build()?;
        let request = client.request(method, format!("http://127.0.0.1:{}{path}", registry.port())).body(body);
        let answer = request.header(CONTENT_TYPE, MANIFEST).header(ACCEPT, MANIFEST).send().await?;
        Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
    };
    runtime.block_on(answered).expect("the registry answers")
}

fn get(registry: &OciRegistry, path: &str) -> Value {
    let (status, text) = ask(registry, Method::GET, path, String::new());
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Puts a manifest there that is not ours; its layers have been pushed before.
fn put_manifest(registry: &OciRegistry, path: &str, manifest: &Value) {
    let (status, text) = ask(registry, Method::PUT, path, manifest.to_string());
    assert_eq!(status, 201, "{text}");
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[test]
fn what_is_pushed_comes_back_byte_for_byte() {
    let (registry, home) = (OciRegistry::start(), scratch());
    let (echo, place) = (guest("echo"), registry.reference("tools/echo:1.4"));
    let pushed = right(run(home.path(), &[], &["push", echo.to_str().unwrap(), &place]));
    let pinned = pushed.trim();
    assert!(pinned.starts_with(&format!("{place}@sha256:")), "{pinned}");
    let again = right(run(home.path(), &[], &["push", echo.to_str().unwrap(), &place]));
    assert_eq!(pushed, again, "the same component has the same digest");

    let manifest = get(&registry, "/v2/tools/echo/manifests/1.4");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json", "{manifest}");
    assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(1), "{manifest}");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm", "{manifest}");
    let config = format!("/v2/tools/echo/blobs/{}", manifest["config"]["digest"].as_str().unwrap());
    let config = get(&registry, &config);
    assert_eq!(config["layerDigests"], json!([manifest["layers"][0]["digest"]]), "{config}");
    assert_eq!((&config["architecture"], &config["os"]), (&json!("wasm"), &json!("wasip2")), "{config}");
    let exports = config["component"]["exports"].as_array().unwrap();
    assert!(exports.iter().any(|name| name.as_str().unwrap().starts_with("vumi:app/handler")), "{config}");

    let by_digest = registry.reference(&format!("tools/echo@{}", pinned.split_once('@').unwrap().1));
    for (from, file) in [(place.as_str(), "a.wasm"), (pinned, "b.wasm"), (&by_digest, "c.wasm")] {
        let said = right(run(home.path(), &[], &["pull", from, "-o", file]));
        assert!(said.contains(pinned.split_once('@').unwrap().1), "{said}");
        assert!(fs::read(home.path().join(file)).unwrap() == fs::read(&echo).unwrap(), "{from}");
    }
    right(run(home.path(), &[], &["pull", &place]));
    assert!(home.path().join("echo.wasm").is_file(), "named after the repository");
}

#[test]
fn wrong_digests_and_unknown_names_get_one_sentence() {
    let (registry, home) = (OciRegistry::start(), scratch());
    let echo = guest("echo");
    let push = |place: &str| run(home.path(), &[], &["push", echo.to_str().unwrap(), place]);
    let pull = |place: &str| run(home.path(), &[], &["pull", place, "-o", "pulled.wasm"]);
    right(push(&registry.reference("echo:1")));

    let zeros = format!("echo@sha256:{}", "0".repeat(64));
    for name in ["echo:2", "nothing:1", &zeros] {
        let place = registry.reference(name);
        assert_eq!(refused(pull(&place)), format!("error: {place}: the registry has nothing of this name"));
    }
    assert!(refused(push(&registry.reference(&zeros))).contains("name a tag"));

    // One bit of the layer flips on the registry's disk.
    let manifest = get(&registry, "/v2/echo/manifests/1");
    let blob = registry.blob(manifest["layers"][0]["digest"].as_str().unwrap());
    let mut bytes = fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let report = refused(pull(&registry.reference("echo:1")));
    assert!(report.contains("is not what its digest says"), "{report}");
    assert!(!home.path().join("pulled.wasm").exists(), "nothing of it was kept");
}

#[test]
fn what_is_no_component_is_refused() {
    let (registry, home) = (OciRegistry::start(), scratch());
    let echo = guest("echo");
    right(run(home.path(), &[], &["push", echo.to_str().unwrap(), &registry.reference("echo:1")]));
    let manifest = get(&registry, "/v2/echo/manifests/1");
    let pull = |tag: &str| refused(run(home.path(), &[], &["pull", &registry.reference(&format!("echo:{tag}"))]));

    let mut image = manifest.clone();
    image["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    put_manifest(&registry, "/v2/echo/manifests/image", &image);
    let report = pull("image");
    assert!(
        report.contains("its layer is `application/vnd.oci.image.layer.v1.tar+gzip`, not `application/wasm`"),
        "{report}"
    );

    let mut two = manifest.clone();
    two["layers"] = json!([manifest["layers"][0], manifest["layers"][0]]);
    put_manifest(&registry, "/v2/echo/manifests/two", &two);
    assert!(pull("two").contains("has 2 layers, where a component has one"));

    // The configuration's bytes in the place of the component's.
    let mut text = manifest.clone();
    text["layers"][0]["digest"] = manifest["config"]["digest"].clone();
    text["layers"][0]["size"] = manifest["config"]["size"].clone();
    put_manifest(&registry, "/v2/echo/manifests/text", &text);
    assert!(pull("text").contains("is no WebAssembly component"));

    let mut huge = manifest.clone();
    huge["layers"][0]["size"] = json!(1_u64 << 40);
    put_manifest(&registry, "/v2/echo/manifests/huge", &huge);
    assert!(pull("huge").contains("has 1099511627776 bytes, at most 67108864 are taken"));

    let mut small = manifest.clone();
    small["layers"][0]["size"] = json!(100);
    put_manifest(&registry, "/v2/echo/manifests/small", &small);
    assert!(pull("small").contains("the layer has not the 100 bytes of the manifest"));
    assert!(!home.path().join("echo.wasm").exists(), "nothing of all this was kept");

    let module = home.path().join("module.wasm");
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let report = refused(run(home.path(), &[], &["push", module.to_str().unwrap(), &registry.reference("module:1")]));
    assert!(report.ends_with("module.wasm is a core module, not a component"), "{report}");
}

#[test]
fn a_closed_registry_wants_a_login_from_the_environment_or_docker() {
    let (registry, home) = (OciRegistry::start_closed(), scratch());
    let (echo, place) = (guest("echo"), registry.reference("echo:1"));
    let push = |env: &[(&str, &str)]| run(home.path(), env, &["push", echo.to_str().unwrap(), &place]);
    let login = |password| [("VUMI_REGISTRY_USER", OciRegistry::USER), ("VUMI_REGISTRY_PASSWORD", password)];
    for env in [&[][..], &login("wrong-password")] {
        let (code, stdout, stderr) = push(env);
        assert!(!stderr.contains("wrong-password"), "{stderr}");
        let report = refused((code, stdout, stderr));
        assert!(report.contains("the registry does not let you: set VUMI_REGISTRY_USER"), "{report}");
    }
    assert!(refused(push(&login("")[..1])).contains("set both, or neither"));
    right(push(&login(OciRegistry::PASSWORD)));
    let report = refused(run(home.path(), &[], &["pull", &place]));
    assert!(report.contains("the registry does not let you"), "{report}");

    fs::create_dir(home.path().join(".docker")).unwrap();
    let logins = json!({ "auths": { (format!("127.0.0.1:{}", registry.port())): {
        "username": OciRegistry::USER, "password": OciRegistry::PASSWORD,
    } } });
    fs::write(home.path().join(".docker/config.json"), logins.to_string()).unwrap();
    right(run(home.path(), &[], &["pull", &place]));
    assert!(fs::read(home.path().join("echo.wasm")).unwrap() == fs::read(&echo).unwrap());
}

#[test]
fn only_a_registry_on_this_machine_is_spoken_to_without_tls() {
    let (registry, home) = (OciRegistry::start(), scratch());
    // To the system this is 127.0.0.1 too, but not at first sight.
    let place = format!("oci://127.1:{}/echo:1", registry.port());
    let report = refused(run(home.path(), &[], &["pull", &place]));
    assert!(report.contains("cannot be reached"), "{report}");
    let report = refused(run(home.path(), &[], &["pull", &place, "--plain-http"]));
    assert!(report.ends_with("the registry has nothing of this name"), "{report}");
}
