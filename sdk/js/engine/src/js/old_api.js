// What Vumi's runner gave to a script: the object `api`, and the way in which commands reach it.
(function (native, loop) {
  'use strict';

  let count = 0;
  const api = {};

  // Sends a command to the host; the callback gets the reply, later.
  api.request = function request(command, fields, callback) {
    const message = fields === undefined || fields === null ? {} : fields;
    message.cmd = command;
    message.cmd_id = String(++count);
    message.reply = false;
    // Ends the run when there is no answer.
    const answer = native.request(JSON.stringify(message));
    if (callback) loop.reply(() => { callback.call(api, JSON.parse(answer)); });
  };

  api.log_info = function log_info(text, callback) {
    api.request('log.info', { msg: text }, callback);
  };

  // What follows in the same breath is still done; nothing after that.
  api.done = function done() {
    api.log_info('Done.');
    loop.finish();
  };

  return {
    // Before the script is run.
    begin() {
      globalThis.api = api;
      api.log_info('Starting sandbox ...');
      api.log_info('Loading sandboxed code ...');
    },
    // What the app's owner gives it.
    share(context) {
      if (context === null || context === undefined) return;
      for (const name of Object.keys(context)) globalThis[name] = context[name];
    },
    command(text) {
      const command = JSON.parse(text);
      const name = 'on_' + String(command.cmd).replace('.', '_').replace('-', '_');
      const handler = api[name] === undefined ? api.on_unknown_command : api[name];
      if (handler !== undefined) handler.call(api, command);
    },
  };
})
