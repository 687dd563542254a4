// Lets node load the SDK: `vumi:host` is the host that test/support/host.js plays.

import { register } from 'node:module';

register('./hook.js', import.meta.url);
