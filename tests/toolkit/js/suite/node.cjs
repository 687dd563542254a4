// The same suite on node, started as a program: what the sandbox is compared with. Prints the lines that `run.js` logs.
'use strict';

global.global = global;
global.require = require;
global.api = {
  log_info: (line) => console.log(line),
  done: () => undefined,
};
require(process.argv[2]);
global.api.on_inbound_message();
