//! A real browser: headless Chromium, driven through ChromeDriver by the W3C WebDriver protocol.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::http;
use crate::wait::until;

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser window.
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window of 1280 × 800.
    ///
    /// # Panics
    /// When Chromium or ChromeDriver cannot be started.
    pub fn open() -> Self {
        // Several that start at once may choose the same port, and then all but one of them end.
        let (mut driver, port) = until("chromedriver is ready", driver);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let options = json!({"capabilities": {"alwaysMatch": {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--window-size=1280,900", format!("--user-data-dir={}", profile.path().display()),
        ]}}}});
        // A driver that opens no browser must not stay behind.
        let made = http::request(address, "POST", "/session", Some(&options)).map(|answer| answer.json());
        let made = made.unwrap_or_else(|error| {
            let _ = driver.kill();
            let _ = driver.wait();
            panic!("no browser session: {error}")
        });
        let session = made.pointer("/value/sessionId").and_then(Value::as_str);
        let session = session.unwrap_or_else(|| panic!("no browser session: {made}")).to_owned();
        Self { driver, address, session, _profile: profile }
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Value> {
        let path = format!("/session/{}{path}", self.session);
        let answer = http::request(self.address, method, &path, body).expect("chromedriver answers");
        let value = answer.json().get("value").cloned().unwrap_or_default();
        if answer.status == 200 { Ok(value) } else { Err(value) }
    }

    /// Goes to a page.
    ///
    /// # Panics
    /// When the page cannot be loaded.
    pub fn goto(&self, url: &str) {
        self.call("POST", "/url", Some(&json!({"url": url}))).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    fn find(&self, selector: &str) -> Option<String> {
        let body = json!({"using": "css selector", "value": selector});
        let found = self.call("POST", "/element", Some(&body)).ok()?;
        found.get(ELEMENT).and_then(Value::as_str).map(str::to_owned)
    }

    /// Waits for an element and clicks it.
    pub fn click(&self, selector: &str) {
        until(&format!("{selector} can be clicked"), || {
            let element = self.find(selector)?;
            self.call("POST", &format!("/element/{element}/click"), Some(&json!({}))).ok()
        });
    }

    /// Waits for an input, empties it and types into it.
    pub fn fill(&self, selector: &str, text: &str) {
        until(&format!("{selector} can be filled"), || {
            let element = self.find(selector)?;
            self.call("POST", &format!("/element/{element}/clear"), Some(&json!({}))).ok()?;
            if text.chars().any(|c| c > '\u{ffff}') {
                // The driver types no characters beyond the Basic Multilingual Plane; an input method would put them in.
                let put = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                           e.dispatchEvent(new Event('input', {bubbles: true}))";
                self.script(put, json!([selector, text]));
                return Some(Value::Null);
            }
            self.call("POST", &format!("/element/{element}/value"), Some(&json!({"text": text}))).ok()
        });
    }

    /// Types at whatever has the focus; `\u{e007}` is Enter, `\u{e00c}` Escape, `\u{e004}` Tab.
    ///
    /// # Panics
    /// When the browser refuses.
    pub fn press(&self, keys: &str) {
        let mut actions = Vec::new();
        for key in keys.chars() {
            actions.push(json!({"type": "keyDown", "value": key.to_string()}));
            actions.push(json!({"type": "keyUp", "value": key.to_string()}));
        }
        let body = json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]});
        self.call("POST", "/actions", Some(&body)).expect("keys can be pressed");
    }

    /// Waits until an element that fits the selector shows a text that holds `part`; the answer is its whole text.
    pub fn text_with(&self, selector: &str, part: &str) -> String {
        until(&format!("{selector} shows {part:?}"), || {
            self.texts(selector).into_iter().find(|text| text.contains(part))
        })
    }

    /// The texts of all elements that fit.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => 'value' in e && e.tagName !== 'BUTTON' && e.tagName !== 'LI' ? e.value : e.innerText)";
        let texts = self.script(script, json!([selector]));
        texts.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Runs a script in the page.
    ///
    /// # Panics
    /// When it throws.
    pub fn script(&self, script: &str, arguments: Value) -> Value {
        let body = json!({"script": script, "args": arguments});
        self.call("POST", "/execute/sync", Some(&body)).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script whose last argument is a function to be called with the answer.
    ///
    /// # Panics
    /// When it throws, or does not answer within the browser's limit of 30 s.
    pub fn script_async(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.call("POST", "/execute/async", Some(&body)).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until a JavaScript expression is true.
    pub fn wait_for(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        until(&format!("{expression} is true"), || (self.script(&script, json!([])) == true).then_some(()));
    }

    /// The `data-testid` of what has the focus.
    pub fn focus(&self) -> String {
        let id = self.script("return document.activeElement?.dataset.testid ?? ''", json!([]));
        id.as_str().unwrap_or_default().to_owned()
    }

    /// What the page wrote to the browser's console, and the browser itself: errors of scripts, of loading, of the
    /// content security policy. Each call gives what came since the last.
    ///
    /// # Panics
    /// When the browser refuses.
    pub fn console(&self) -> Vec<String> {
        let lines = self.call("POST", "/se/log", Some(&json!({"type": "browser"}))).expect("the console can be read");
        lines.as_array().into_iter().flatten().map(|line| format!("{}: {}", line["level"], line["message"])).collect()
    }

    /// The addresses of everything that the page has loaded.
    pub fn loaded(&self) -> Vec<String> {
        let script = "return [location.href, ...performance.getEntriesByType('resource').map(entry => entry.name)]";
        let names = self.script(script, json!([]));
        names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Saves a picture of the window, once nothing on it moves any more.
    ///
    /// # Panics
    /// When it cannot be taken or written.
    pub fn screenshot(&self, file: &Path) {
        self.wait_for("document.getAnimations().every(one => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)");
        let picture = self.call("GET", "/screenshot", None).expect("a screenshot can be taken");
        let bytes = base64(picture.as_str().unwrap_or_default());
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).expect("the folder can be made");
        }
        std::fs::write(file, bytes).expect("the picture can be written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = http::request(self.address, "DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes() {
        let Some(value) = ALPHABET.iter().position(|known| *known == byte) else { continue };
        bits = bits << 6 | u32::try_from(value).unwrap_or_default();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
        }
    }
    bytes
}

/// A driver and its port; none when it ended before it was ready.
#[expect(clippy::zombie_processes, reason = "a driver that is ready is waited for when its browser is dropped")]
fn driver() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is installed (Debian: chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().expect("stdout is a pipe"));
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or(0) == 0 {
            let _ = driver.wait();
            return None;
        }
        // The first line repeats the 0 that was asked for; the last one names the port that it became.
        let named = line.split("on port ").nth(1).and_then(|rest| rest.trim().trim_end_matches('.').parse().ok());
        if let Some(port) = named.filter(|port| *port != 0) {
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return Some((driver, port));
        }
    }
}
