// An application for Vumi's JavaScript sandbox that runs the toolkit's own test suite, with the same mocha as on node,
// and logs a line for each test. `build.mjs` bundles it with mocha, `assert` and all test files of the package. Without
// `use strict`, which would hold for the whole bundle: the toolkit is older than that.

// mocha's build for browsers asks the page's address for options.
globalThis.location = { search: '' };
require('mocha/mocha.js');

const { mocha, Mocha, api } = globalThis;

// One line per test, in the order in which they end.
function Lines(runner) {
  const line = (verdict, test, rest) => api.log_info(JSON.stringify({ verdict, test: test.fullTitle(), ...rest }));
  runner.on(Mocha.Runner.constants.EVENT_TEST_PASS, (test) => line('pass', test));
  runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => line('pending', test));
  runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error) => {
    line('fail', test, { error: String((error && error.stack) || error) });
  });
}

// A test's time limit is the run's: what a slow machine takes must not decide.
mocha.setup({ ui: 'bdd', reporter: Lines, timeout: 0 });
require('suite:tests');

api.on_inbound_message = () => {
  mocha.run(() => api.done());
};
