//! Scripts for Vumi's sandbox: what the captured conversations between its runner and its host show.

use crate::kit::{Outcome, run_old};

const ECHO: &str = "api.on_inbound_message = function (command) {
    var self = this, msg = command.msg;
    self.request('kv.get', {key: msg.from_addr}, function (reply) {
        var n = (reply.value ? reply.value.n : 0) + 1;
        self.request('kv.set', {key: msg.from_addr, value: {n: n}}, function (reply) {
            self.request('outbound.reply_to', {
                content: msg.content, in_reply_to: msg.message_id, continue_session: true
            }, function (reply) { self.done(); });
        });
    });
};";

#[test]
fn an_echo_asks_in_the_order_of_the_capture() {
    let (outcome, host) = run_old(ECHO, None);
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(host.order(), ["1 log.info", "2 log.info", "3 kv.get", "4 kv.set", "5 outbound.reply_to", "6 log.info"]);
    assert_eq!(host.commands[0]["msg"], "Starting sandbox ...");
    assert_eq!(host.commands[1]["msg"], "Loading sandboxed code ...");
    assert_eq!(host.commands[4]["content"], "h\u{e9}llo \u{2603}");
    assert_eq!(host.commands[4]["reply"], false);
    assert_eq!(host.commands[5]["msg"], "Done.");
    assert_eq!(host.kv["+27710000001"], "{\"n\":1}");
}

#[test]
fn what_follows_done_in_the_same_breath_is_still_sent_and_nothing_later() {
    let (outcome, host) = run_old(
        "api.on_inbound_message = function (c) {
            setTimeout(function () { api.request('kv.set', {key: 'timer', value: 1}); }, 1);
            this.done();
            this.request('outbound.reply_to', {content: 'late'}, function () {
                api.request('kv.set', {key: 'callback', value: 1});
            });
        };",
        Some("{setTimeout: setTimeout}"),
    );
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(host.order()[2..], ["3 log.info", "4 outbound.reply_to"]);
    assert!(host.kv.is_empty());
}

#[test]
fn a_script_that_is_never_done_stalls() {
    for code in ["api.on_inbound_message = function (c) {};", "api.nothing = 1;"] {
        assert_eq!(run_old(code, None).0, Outcome::Stalled, "{code}");
    }
}

#[test]
fn a_command_without_handler_goes_to_the_one_for_unknown_commands() {
    let (outcome, host) =
        run_old("api.on_unknown_command = function (c) { this.log_info(c.cmd); this.done(); };", None);
    assert_eq!((outcome, host.commands[2]["msg"].as_str()), (Outcome::Done, Some("inbound-message")));
}

#[test]
fn what_it_throws_is_told() {
    let (outcome, host) = run_old("throw new Error('at load');", None);
    let Outcome::Refused(text) = outcome else { panic!("{outcome:?}") };
    assert!(
        text.starts_with("Error: at load\n    at <eval> (app.js:1:")
            || text.starts_with("Error: at load\n    at <anonymous> (app.js:1:"),
        "{text}"
    );
    assert_eq!(host.commands.len(), 2, "the two lines of the log come before");
    let (outcome, _) = run_old("api.on_inbound_message = function (c) { throw new Error('in handler'); };", None);
    let Outcome::Thrown(text) = outcome else { panic!("{outcome:?}") };
    assert!(text.starts_with("Error: in handler\n    at ") && text.contains("(app.js:1:"), "{text}");
    let (outcome, _) = run_old(
        "api.on_inbound_message = function (c) { this.log_info('x', function () { undefined_function(); }); };",
        None,
    );
    let Outcome::Thrown(text) = outcome else { panic!("{outcome:?}") };
    assert!(text.starts_with("ReferenceError: undefined_function is not defined"), "{text}");
}

#[test]
fn an_unknown_command_ends_the_run_at_once() {
    let (outcome, host) = run_old(
        "api.on_inbound_message = function (c) {
            try { this.request('nosuch.get', {a: 1}); } catch (e) { this.log_info('caught'); } finally { this.log_info('finally'); }
            this.log_info('after');
        };",
        None,
    );
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(host.order().last().unwrap(), "3 nosuch.get");
}

#[test]
fn the_exit_status_of_a_process_that_was_handed_over_is_told() {
    let (outcome, _) =
        run_old("api.on_inbound_message = function (c) { process.exit(3); };", Some("{process: process}"));
    assert_eq!(outcome, Outcome::Thrown("process ended with exit code 3".into()));
    let (outcome, _) =
        run_old("api.on_inbound_message = function (c) { process.exit(0); };", Some("{process: process}"));
    assert_eq!(outcome, Outcome::Done);
}

#[test]
fn there_is_no_way_out_to_the_system() {
    let (outcome, _) = run_old(
        "api.on_inbound_message = function (c) { var p = api.request.constructor('return process')(); p.mainModule; };",
        None,
    );
    let Outcome::Thrown(text) = outcome else { panic!("{outcome:?}") };
    assert!(text.starts_with("ReferenceError: process is not defined"), "{text}");
}

#[test]
fn the_console_writes_to_standard_output_and_error() {
    let (outcome, host) = run_old(
        "api.on_inbound_message = function (c) { console.error('line one\\nline two'); console.log('out'); this.done(); };",
        Some("{console: console}"),
    );
    assert_eq!((outcome, host.err(), host.out()), (Outcome::Done, "line one\nline two\n".into(), "out\n".into()));
    assert!(host.log.is_empty());
}

#[test]
fn only_what_the_owner_hands_over_is_there() {
    let code = "api.on_inbound_message = function (c) {
        this.log_info([typeof require, typeof Buffer, typeof process, typeof greeting].join());
        this.done();
    };";
    let (_, host) = run_old(code, None);
    assert_eq!(host.commands[2]["msg"], "undefined,undefined,undefined,undefined");
    let (_, host) =
        run_old(code, Some("{require: function (m) { return require(m); }, Buffer: Buffer, greeting: 'hi'}"));
    assert_eq!(host.commands[2]["msg"], "function,function,undefined,string");
}

#[test]
fn callbacks_run_later_and_in_order() {
    let (outcome, host) = run_old(
        "var seen = [];
        api.request('kv.get', {key: 'a'}, function (r) { seen.push('load ' + (this === api)); });
        api.on_inbound_message = function (c) {
            this.request('kv.get', {key: 'b'}, function (r) { seen.push('b ' + r.cmd_id + r.reply); });
            this.request('kv.get', {key: 'c'}, function (r) {
                seen.push('c');
                api.log_info(seen.join(), function () { api.done(); });
            });
            seen.push('handler');
        };",
        None,
    );
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(host.commands[5]["msg"], "handler,load true,b 4true,c");
}
