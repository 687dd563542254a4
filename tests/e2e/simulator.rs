//! The page with the simulated phones, in a real browser.

use serde_json::json;
use vumi_tests::guests::{guest, target};
use vumi_tests::{Browser, Host, HostBuilder, until};

const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";
const ESCAPE: &str = "\u{e00c}";
const PHONE: &str = "+27820000001";

fn id(name: &str) -> String {
    format!("[data-testid={name}]")
}

/// The same of the second phone.
fn second(name: &str) -> String {
    format!("[data-testid=phone]:nth-child(2) [data-testid={name}]")
}

fn open(component: &str) -> (Host, Browser) {
    let host = HostBuilder::app(&guest(component)).start();
    let browser = Browser::open();
    browser.goto(&format!("http://{}/", host.admin));
    browser.wait_for("document.getElementById('link').dataset.state === 'live'");
    (host, browser)
}

fn dialog(browser: &Browser, state: &str) {
    browser.wait_for(&format!(
        "!document.querySelector('.ussd-shade').hidden && document.querySelector('{}').dataset.state === '{state}'",
        id("ussd-dialog")
    ));
}

fn no_dialog(browser: &Browser) {
    browser.wait_for("document.querySelector('.ussd-shade').hidden");
}

fn screenshot(browser: &Browser, name: &str) {
    browser.screenshot(&target().join("screenshots").join(format!("{name}.png")));
}

/// What every page has to end with: nothing in the console, nothing loaded from elsewhere.
fn is_clean(host: &Host, browser: &Browser) {
    assert_eq!(browser.console(), Vec::<String>::new());
    let own = format!("http://{}/", host.admin);
    let loaded = browser.loaded();
    assert!(loaded.len() > 10, "the page consists of several files: {loaded:?}");
    let foreign: Vec<_> = loaded.iter().filter(|name| !name.starts_with(&own)).collect();
    assert!(foreign.is_empty(), "everything comes from the host itself: {foreign:?}");
}

/// The session events of what came in from the phone, in order.
fn steps(host: &Host) -> Vec<String> {
    let records = host.messages("simulator");
    let inbound = records.iter().filter(|record| record["direction"] == "inbound");
    inbound.filter_map(|record| record["payload"]["session_event"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_ussd_session_from_dial_to_cancel() {
    let (host, browser) = open("echo");
    screenshot(&browser, "start");
    browser.click(&id("ussd-dial"));
    dialog(&browser, "asking");
    browser.text_with(&id("ussd-text"), "Enter text to echo:");
    screenshot(&browser, "ussd-asking");
    browser.fill(&id("ussd-reply"), "hallo €");
    browser.press(ENTER);
    browser.text_with(&id("ussd-text"), "hallo €");
    dialog(&browser, "asking");
    browser.fill(&id("ussd-reply"), "once more");
    browser.click(&id("ussd-send"));
    browser.text_with(&id("ussd-text"), "once more");
    browser.click(&id("ussd-cancel"));
    no_dialog(&browser);
    until("the app was told of the end", || (steps(&host) == ["new", "resume", "resume", "close"]).then_some(()));
    // Four messages and the acks of three answers.
    let runs = until("all of it was handled", || Some(host.runs("echo")).filter(|runs| runs.len() == 7));
    assert!(runs.iter().all(|run| run["outcome"] == "ok"), "{runs:?}");
    is_clean(&host, &browser);
}

#[test]
fn the_app_ends_a_ussd_session() {
    let (host, browser) = open("probe");
    browser.click(&id("ussd-dial"));
    dialog(&browser, "asking");
    browser.fill(&id("ussd-reply"), "close bye");
    browser.press(ENTER);
    dialog(&browser, "closed");
    browser.text_with(&id("ussd-text"), "bye");
    browser.text_with(".ussd-notice", "The app ended the session.");
    screenshot(&browser, "ussd-closed");
    browser.click(&id("ussd-ok"));
    no_dialog(&browser);
    assert_eq!(steps(&host), ["new", "resume"], "after the app's own end there is nothing to cancel");
    is_clean(&host, &browser);
}

#[test]
fn a_failing_app_is_told_to_the_user() {
    let (host, browser) = open("probe");
    browser.click(&id("ussd-dial"));
    dialog(&browser, "asking");
    browser.fill(&id("ussd-reply"), "fail because of the test");
    browser.press(ENTER);
    dialog(&browser, "failed");
    let notice = browser.text_with(".ussd-notice", "handler-error");
    assert!(notice.contains("because of the test"), "{notice}");
    browser.click(&id("inspector-tab-runs"));
    browser.text_with("#runs-feed [data-testid=inspector-row]", "handler-error");
    screenshot(&browser, "ussd-failed");
    browser.click(&id("ussd-ok"));
    no_dialog(&browser);
    until("the app was told of the end", || (steps(&host) == ["new", "resume", "close"]).then_some(()));
    is_clean(&host, &browser);
}

#[test]
fn a_ussd_session_without_a_mouse() {
    let (host, browser) = open("echo");
    for _ in 0..20 {
        if browser.focus() == "ussd-code" {
            break;
        }
        browser.press(TAB);
    }
    assert_eq!(browser.focus(), "ussd-code", "Tab leads to the code");
    browser.press(ENTER);
    dialog(&browser, "asking");
    assert_eq!(browser.focus(), "ussd-reply", "the answer can be typed at once");
    browser.press("no mouse");
    browser.press(ENTER);
    browser.text_with(&id("ussd-text"), "no mouse");
    browser.press(ESCAPE);
    no_dialog(&browser);
    assert_eq!(browser.focus(), "ussd-code", "the focus comes back to where it was");
    until("Escape ended the session", || (steps(&host) == ["new", "resume", "close"]).then_some(()));
    is_clean(&host, &browser);
}

#[test]
fn an_sms_thread_with_its_counter_and_its_ticks() {
    let (host, browser) = open("echo");
    browser.click(&id("tab-sms"));
    for (text, shown) in [
        ("a".repeat(160), "GSM 7-bit · 160/160 · 1 SMS"),
        ("a".repeat(161), "GSM 7-bit · 161/306 · 2 SMS"),
        ("я".to_owned(), "UCS-2 · 1/70 · 1 SMS"),
        ("hi".to_owned(), "GSM 7-bit · 2/160 · 1 SMS"),
    ] {
        browser.fill(&id("sms-compose"), &text);
        assert_eq!(browser.text_with(&id("sms-count"), "SMS"), shown);
    }
    browser.fill(&id("sms-compose"), "Hello from the phone");
    browser.press(ENTER);
    browser.text_with("[data-testid=sms-bubble][data-direction=out]", "Hello from the phone");
    browser.text_with("[data-testid=sms-bubble][data-direction=in]", "Hello from the phone");
    // The tick stands for the ack of the answer.
    browser.text_with("[data-testid=sms-bubble][data-direction=in][data-delivery=accepted]", "✓");
    browser.text_with("[data-testid=sms-bubble][data-direction=out][data-delivery=accepted]", "✓");
    browser.fill(&id("sms-compose"), "Žluťoučký kůň 🐎");
    browser.click(&id("sms-send"));
    browser.text_with("[data-testid=sms-bubble][data-direction=in]", "Žluťoučký kůň 🐎");
    browser.wait_for("document.querySelectorAll('[data-testid=sms-bubble]').length === 4");
    screenshot(&browser, "sms");

    let thread = host.phone(PHONE);
    assert_eq!(thread.len(), 4, "{thread:?}");
    // The page shows the same after it is loaded anew: the thread is the host's, the phone is the browser's.
    browser.goto(&format!("http://{}/", host.admin));
    browser.wait_for("document.querySelectorAll('[data-testid=sms-bubble]').length === 4");
    is_clean(&host, &browser);
}

#[test]
fn two_phones_have_threads_of_their_own() {
    let (host, browser) = open("echo");
    browser.click(&id("tab-sms"));
    browser.fill(&id("sms-compose"), "from the first");
    browser.press(ENTER);
    browser.text_with("[data-testid=sms-bubble][data-direction=in]", "from the first");
    browser.click(&id("add-phone"));
    browser.wait_for("document.querySelectorAll('[data-testid=phone]').length === 2");
    assert_eq!(browser.texts(&id("phone-number")), [PHONE, "+27820000002"]);
    browser.click(&second("tab-sms"));
    browser.fill(&second("sms-compose"), "from the second");
    browser.press(ENTER);
    let bubbles = second("sms-bubble");
    browser.text_with(&format!("{bubbles}[data-direction=in]"), "from the second");
    let (first, other) =
        (browser.texts(&format!("[data-testid=phone]:nth-child(1) {}", id("sms-bubble"))), browser.texts(&bubbles));
    assert!(first.len() == 2 && first.iter().all(|text| text.contains("from the first")), "{first:?}");
    assert!(other.len() == 2 && other.iter().all(|text| text.contains("from the second")), "{other:?}");
    // The inspector shows both, or the one that is chosen.
    browser.wait_for("document.querySelectorAll('#messages-feed [data-testid=inspector-row]').length === 6");
    browser.script(
        "const choice = document.querySelector('[data-testid=messages-filter]');
         choice.value = arguments[0];
         choice.dispatchEvent(new Event('change'));",
        json!(["+27820000002"]),
    );
    browser.wait_for("[...document.querySelectorAll('#messages-feed [data-testid=inspector-row]')].filter(row => row.offsetParent).every(row => row.textContent.includes('+27820000002'))");
    screenshot(&browser, "two-phones");
    is_clean(&host, &browser);
}

#[test]
fn the_inspector_shows_what_happens_as_it_happens() {
    let (host, browser) = open("probe");
    let say = |text: &str| host.sms(PHONE, text).expect("the host accepts it");
    let row = "[data-testid=inspector-row]";
    say("echo seen live");
    browser.text_with(&format!("#messages-feed {row}"), "seen live");
    browser.click(&id("inspector-tab-logs"));
    say("log written live");
    browser.text_with(&format!("#logs-feed {row}"), "written live");
    browser.click(&id("inspector-tab-runs"));
    let before = browser.texts(&format!("#runs-feed {row}")).len();
    assert!(before >= 2, "the runs so far are there: {before}");
    say("fail on purpose");
    browser.text_with(&format!("#runs-feed {row}"), "handler-error");
    browser.click(&id("inspector-tab-kv"));
    say("kv-set colour \"blue\"");
    browser.text_with(&format!("#kv-feed {row}"), "blue");
    say("kv-set colour \"green\"");
    let shown = browser.text_with(&format!("#kv-feed {row}"), "green");
    assert!(shown.contains("colour"), "{shown}");
    screenshot(&browser, "inspector-kv");
    is_clean(&host, &browser);
}

/// The same golden values as the codec's: how many messages a text takes.
#[test]
fn texts_are_measured_as_networks_measure_them() {
    let (host, browser) = open("echo");
    let measured = browser.script_async(
        "const done = arguments[0];
         import('/assets/js/segments.js').then(({ measureSms, measureUssd }) => {
           const sms = (text) => { const { encoding, units, segments } = measureSms(text); return [encoding, units, segments]; };
           done([
             sms('a'.repeat(160)), sms('a'.repeat(161)), sms('a'.repeat(306)), sms('a'.repeat(307)),
             sms('€'.repeat(80)), sms('€'.repeat(81)), sms('a'.repeat(152) + '€' + 'a'.repeat(153)),
             sms('я'.repeat(70)), sms('я'.repeat(71)), sms('🐎'.repeat(35)), sms('🐎'.repeat(36)), sms('`'),
             measureUssd('a€').units,
           ]);
         }, (error) => done(String(error)));",
    );
    let (gsm, ucs2) = ("GSM 7-bit", "UCS-2");
    let expected = json!([
        [gsm, 160, 1],
        [gsm, 161, 2],
        [gsm, 306, 2],
        [gsm, 307, 3],
        [gsm, 160, 1],
        [gsm, 162, 2],
        [gsm, 307, 3],
        [ucs2, 70, 1],
        [ucs2, 71, 2],
        [ucs2, 70, 1],
        [ucs2, 72, 2],
        [ucs2, 1, 1],
        3,
    ]);
    assert_eq!(measured, expected);
    is_clean(&host, &browser);
}
