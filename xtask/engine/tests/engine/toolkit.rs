//! The libraries in the snapshot, and an application of the toolkit on them.

use crate::kit::{Outcome, run_old};

const OFFER: &str = "{require: function (m) {
    return ['vumigo_v02', 'lodash', 'q', 'moment', 'jed', 'url', 'querystring', 'util', 'events', 'crypto'].indexOf(m) >= 0
        ? require(m) : null;
}, Buffer: Buffer, setTimeout: setTimeout}";

/// What a script with `require` logs.
fn logged(code: &str) -> String {
    let (outcome, host) = run_old(
        &format!(
            "api.on_inbound_message = function (c) {{ api.log_info(String((function () {{ {code} }})())); api.done(); }};"
        ),
        Some(OFFER),
    );
    assert_eq!(outcome, Outcome::Done, "{}", host.err());
    host.commands[2]["msg"].as_str().unwrap().to_owned()
}

#[test]
fn the_libraries_work() {
    for (code, expected) in [
        (
            "return require('lodash').chain([3, 1, 2]).sortBy().map(function (n) { return n * 2; }).value().join()",
            "2,4,6",
        ),
        ("return require('moment').utc(0).format('YYYY-MM-DD HH:mm')", "1970-01-01 00:00"),
        ("return require('moment').utc(0).locale('fr').format('dddd')", "jeudi"),
        ("return require('url').parse('http://a.example:80/p?q=1#h').pathname", "/p"),
        ("return require('querystring').stringify({a: 'b c', d: [1, 2]})", "a=b%20c&d=1&d=2"),
        ("return new (require('jed'))({}).gettext('hello')", "hello"),
        (
            "return new Buffer('h\u{e9}llo').toString('base64') + Buffer.from('aGk=', 'base64') + Buffer.from('ff00', 'hex').length",
            "aMOpbGxvhi2",
        ),
        ("return require('util').format('%s-%d', 'a', 1) + require('util').inspect({a: [1]})", "a-1{ a: [ 1 ] }"),
        (
            "var e = new (require('events').EventEmitter)(), n = 0; e.on('x', function (d) { n += d; }); e.emit('x', 2); return n",
            "2",
        ),
        ("return require('fs')", "null"),
        ("return typeof require('vumigo_v02').InteractionMachine", "function"),
    ] {
        assert_eq!(logged(code), expected, "{code}");
    }
}

/// The time is that of the message, also in libraries that were loaded when the engine was built.
#[test]
fn libraries_see_the_real_time() {
    let year: i32 = logged("return require('moment')().year()").parse().unwrap();
    assert!(year > 2024, "{year}");
    assert_ne!(logged("return require('lodash').random(1e15)"), logged("return require('lodash').random(1e15)"));
}

const APP: &str = "var vumigo = require('vumigo_v02');
var App = vumigo.App, FreeText = vumigo.states.FreeText, EndState = vumigo.states.EndState;
var MyApp = App.extend(function (self) {
    App.call(self, 'states:start');
    self.states.add('states:start', function (name) {
        return new FreeText(name, { question: 'What is your name?', next: 'states:end' });
    });
    self.states.add('states:end', function (name) {
        return new EndState(name, { text: 'Bye ' + self.im.user.answers['states:start'], next: 'states:start' });
    });
});
vumigo.interact(api, MyApp);";

#[test]
fn an_application_of_the_toolkit_runs() {
    let (outcome, host) = run_old(APP, Some(OFFER));
    assert_eq!(outcome, Outcome::Done, "{}", host.err());
    let replies: Vec<_> = host.commands.iter().filter(|command| command["cmd"] == "outbound.reply_to").collect();
    assert_eq!(replies.len(), 1, "{:?}", host.commands);
}
