//! New scripts: ES modules on the module `vumi:host`.

use crate::kit::{graph, logged, run};

#[test]
fn an_echo_sees_the_message_and_answers() {
    let (result, host) = run("import { reply, kvGet, kvSet } from 'vumi:host';
         export default {
           onMessage(message) {
             const n = JSON.parse(kvGet('n') ?? '0') + 1;
             kvSet('n', JSON.stringify(n), null);
             console.log(JSON.stringify(message));
             const id = reply(message.content + ' \u{2603}', { closeSession: true, helperMetadata: { a: 1 } });
             console.log(id);
           },
         };");
    assert_eq!(result, Ok(()));
    assert_eq!(host.sent, ["reply Some(\"hi \u{2603}\") and close{\"a\":1}"]);
    assert_eq!(host.kv["n"], "1");
    assert_eq!(
        host.texts(),
        [
            "{\"messageId\":\"m1\",\"timestamp\":1700000000123456,\"toAddr\":\"*120#\",\"fromAddr\":\"+27710000001\",\
             \"toAddrType\":null,\"fromAddrType\":\"msisdn\",\"content\":\"hi\",\"sessionEvent\":\"resume\",\
             \"inReplyTo\":null,\"transportName\":\"ussd\",\"transportType\":\"ussd\",\"group\":null,\
             \"provider\":null,\"endpoint\":\"default\",\"transportMetadata\":\"{}\",\
             \"helperMetadata\":\"{\\\"tag\\\":1}\"}",
            "id-of-reply",
        ]
    );
}

#[test]
fn an_async_handler_is_awaited_with_its_timers() {
    let (result, host) = run("import { reply } from 'vumi:host';
         const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
         await sleep(1);
         export async function onMessage() {
           const began = performance.now();
           await sleep(20);
           if (performance.now() - began < 19) throw new Error('too early');
           await Promise.all([sleep(3).then(() => console.log('second')), sleep(1).then(() => console.log('first'))]);
           await new Promise(setImmediate);
           reply('late');
         }");
    assert_eq!(result, Ok(()));
    assert_eq!((host.sent.len(), host.texts()), (1, vec!["first", "second"]));
}

#[test]
fn what_a_handler_throws_is_its_error() {
    for (code, head) in [
        ("export function onMessage() { null.x; }", "TypeError: "),
        (
            "export async function onMessage() { await 1; throw new RangeError('far'); }",
            "RangeError: far\n    at onMessage (app.mjs:1:",
        ),
        ("export function onMessage() { throw 'text'; }", "Uncaught text"),
        ("export function onMessage() { return new Promise(() => {}); }", "Error: onMessage waits for a promise"),
        ("export const a = 1;", "TypeError: the module exports no function onMessage"),
        ("throw new Error('at load');", "load: Error: at load\n    at <anonymous> (app.mjs:1:"),
    ] {
        let (result, _) = run(code);
        let error = result.unwrap_err();
        assert!(error.starts_with(head), "{code}: {error}");
    }
}

#[test]
fn a_refused_call_says_of_what_kind_it_is() {
    let log = logged(
        "import { kvSet, sendTo, log, fireMetric } from 'vumi:host';
         export function onMessage() {
           for (const call of [
             () => kvSet('full', '1'), () => sendTo('+1', 'x', { endpoint: 'nope' }),
             () => kvSet('k', '1', 1.5), () => log('loud', 'x'), () => fireMetric('a', 1, 'mode'),
           ]) {
             try { call(); } catch (error) { console.log(error.name, error.kind, error.message, error instanceof Error); }
           }
         }",
    );
    assert_eq!(
        log,
        [
            "HostError quota Too many keys true",
            "HostError denied Endpoint 'nope' not configured true",
            "HostError invalid ttlSeconds must be a whole number that is not negative true",
            "HostError invalid there is no level 'loud': debug, info, warning, error or critical true",
            "HostError invalid there is no aggregator 'mode': sum, avg, min, max or last true",
        ]
    );
}

#[test]
fn every_function_of_the_host_is_there() {
    let (result, host) = run(
        "import * as host from 'vumi:host';
         export function onMessage() {
           host.log('warning', 'careful');
           host.kvSet('k', '7', 60);
           console.log(host.kvGet('k'), host.kvGet('none'), host.kvIncr('k', 2), host.kvDelete('k'), host.kvDelete('k'));
           console.log(host.replyToGroup('all'), host.sendTo('+1', 'one', { endpoint: 'sms' }), host.reply(null));
           const response = host.httpRequest({ method: 'post', url: 'https://a.example/', timeoutMs: 500,
             headers: [['accept', 'text/plain']], body: new TextEncoder().encode('\u{e9}') });
           console.log(response.status, JSON.stringify(response.headers), new TextDecoder().decode(response.body));
           console.log(host.configGet('greeting'), host.configGet('none'));
           host.fireMetric('hits', 2.5, 'sum');
         }",
    );
    assert_eq!(result, Ok(()));
    assert_eq!(host.log[0], ("Level::Warning".into(), "careful".into()));
    assert_eq!(
        host.texts()[1..],
        [
            "7 null 9 true false",
            "id-of-group id-of-send id-of-reply",
            "201 [[\"x-seen\",\"yes\"]] \u{e9}",
            "hello null",
        ]
    );
    assert_eq!(host.metrics, [("hits".to_owned(), 2.5)]);
    let request = &host.requests[0];
    assert_eq!((request.url.as_str(), request.timeout_ms), ("https://a.example/", Some(500)));
    assert_eq!(request.headers, [("accept".to_owned(), "text/plain".to_owned())]);
}

#[test]
fn random_numbers_differ_from_run_to_run_and_the_time_is_real() {
    let code = "export function onMessage() {
        console.log(Math.random()); console.log(crypto.randomUUID()); console.log(Date.now());
        console.log(crypto.getRandomValues(new Uint8Array(8)).join());
    }";
    let (one, other) = (logged(code), logged(code));
    for part in [0, 1, 3] {
        assert_ne!(one[part], other[part]);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let seen: i64 = other[2].parse().unwrap();
    assert!((now - seen).abs() < 60_000, "{now} and {seen}");
    assert!(one[0].parse::<f64>().is_ok_and(|number| (0.0..1.0).contains(&number)));
}

#[test]
fn the_globals_of_a_browser_are_there() {
    let log = logged(
        "export async function onMessage() {
           console.log(btoa('a\u{e9}'), atob('YQ=='));
           console.log(new TextDecoder('utf-8').decode(new Uint8Array([226, 152, 131])), new TextEncoder().encode('\u{2603}').length);
           const copy = structuredClone({ a: [1, new Date(0)], m: new Map([[1, { b: 2 }]]) });
           console.log(copy.a[1].getTime(), copy.m.get(1).b);
           const order = [];
           queueMicrotask(() => order.push('micro'));
           setTimeout(() => order.push('timer'), 0);
           order.push('sync');
           const every = setInterval(() => { order.push('every'); if (order.length > 5) clearInterval(every); }, 1);
           await new Promise((resolve) => setTimeout(resolve, 30));
           console.log(order.slice(0, 5).join(), typeof performance.now(), typeof globalThis.api, typeof require);
           console.log('%s is %d and %j', 'a', 5, { b: 1 }, [1, 'x', { c: null }]);
           console.error(new Error('shown'));
         }",
    );
    assert_eq!(log[..3], ["Yek= a", "\u{2603} 3", "0 2"]);
    assert_eq!(log[3], "sync,micro,timer,every,every number undefined undefined");
    assert_eq!(log[4], "a is 5 and {\"b\":1} [ 1, 'x', { c: null } ]");
    assert!(log[5].starts_with("Error: shown\n    at "), "{}", log[5]);
}

#[test]
fn levels_of_the_console_are_those_of_the_log() {
    let (_, host) = run("export function onMessage() {
           console.debug('d'); console.info('i'); console.warn('w'); console.error('e');
         }");
    let levels: Vec<&str> = host.log.iter().map(|(level, _)| level.trim_start_matches("Level::")).collect();
    assert_eq!(levels, ["Debug", "Info", "Warning", "Error"]);
}

#[test]
fn endless_recursion_is_an_error_and_no_trap() {
    for code in [
        "(function f(n) { return 1 + f(n + 1); })(0)",
        "(function f(...all) { return [1].map(() => f(...all)); })(1, 2, 3, 4, 5, 6, 7, 8)",
        "const o = { toString() { return `${o}`; } }; `${o}`",
        "class A { get x() { return this.x; } } new A().x",
        "const p = new Proxy({}, { get(target, key, self) { return self[key]; } }); p.x",
        "[3, 1, 2].sort(function f() { return [2, 1].sort(f)[0]; })",
        "const f = () => 'a'.replace(/a/, f); f()",
        "const f = () => JSON.parse('1', f); f()",
        "const f = () => Reflect.apply(f, null, []); f()",
        "const f = () => g(), g = f.bind(null); f()",
        "let o = {}; for (let i = 0; i < 5000; i++) o = { o }; structuredClone(o)",
    ] {
        let (result, _) = run(&format!("export function onMessage() {{ {code}; }}"));
        let error = result.unwrap_err();
        assert!(error.starts_with("RangeError: Maximum call stack size exceeded\n    at "), "{code}: {error}");
    }
}

#[test]
fn deep_nesting_is_no_trouble() {
    let log = logged(
        "export function onMessage() {
           const f = (n) => n === 0 ? 0 : 1 + f(n - 1);
           console.log(f(400), JSON.stringify(JSON.parse('['.repeat(2000) + ']'.repeat(2000))).length);
         }",
    );
    assert_eq!(log, ["400 4000"]);
}

#[test]
fn a_dialogue_is_shown_as_json() {
    assert_eq!(graph("export function onMessage() {}"), None);
    assert_eq!(graph("export function graph() { return { start: 'a' }; }").as_deref(), Some("{\"start\":\"a\"}"));
    assert_eq!(
        graph("export default { graph: async () => '{\"start\":\"b\"}' };").as_deref(),
        Some("{\"start\":\"b\"}")
    );
}

#[test]
fn much_garbage_fits_into_little_memory() {
    let log = logged(
        "export function onMessage() {
           let sum = 0;
           for (let i = 0; i < 300000; i++) { const a = { i }; a.self = a; sum += a.self.i; }
           console.log(sum);
         }",
    );
    assert_eq!(log, ["44999850000"]);
}
