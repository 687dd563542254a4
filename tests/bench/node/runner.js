// The process that Vumi's JavaScript sandbox started for each message, as the captured conversations under
// tests/fixtures/vumi-wire/sandbox show it: JSON lines on stdin and stdout, the application as text in the first of
// them, an api of requests with callbacks.
'use strict';

const vm = require('vm');

class Api {
  constructor() {
    this.requests = 0;
    this.callbacks = new Map();
  }

  request(cmd, fields, callback) {
    this.requests += 1;
    const id = String(this.requests);
    if (callback) this.callbacks.set(id, callback);
    process.stdout.write(JSON.stringify({ ...fields, cmd, cmd_id: id, reply: false }) + '\n');
  }

  log_info(text, callback) {
    this.request('log.info', { msg: text }, callback);
  }

  // The process ends when nothing more can come: requests that are still out have been answered by then.
  done() {
    this.log_info('Done.', () => process.stdin.destroy());
  }
}

const api = new Api();

function load(command) {
  api.log_info('Loading sandboxed code ...');
  // The expression of the app's owner sees what is around it here, `require` above all.
  const extras = command.app_context ? eval('(' + command.app_context + ')') : {};
  vm.runInNewContext(command.javascript, { api, ...extras });
}

function obey(command) {
  if (command.reply) {
    const callback = api.callbacks.get(command.cmd_id);
    api.callbacks.delete(command.cmd_id);
    if (callback) callback.call(api, command);
  } else if (command.cmd === 'initialize') {
    load(command);
  } else {
    const name = 'on_' + command.cmd.replace('.', '_').replace('-', '_');
    (api[name] || api.on_unknown_command).call(api, command);
  }
}

let begun = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  const lines = (begun + text).split('\n');
  begun = lines.pop();
  for (const line of lines) obey(JSON.parse(line));
});
api.log_info('Starting sandbox ...');
