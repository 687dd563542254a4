// Bundles what the tests of existing Vumi apps run, each into one script:
//
//   node build.mjs FOLDER
//
// makes FOLDER/suite.js (the toolkit's own tests), FOLDER/bundled.js (an app of `features` with the toolkit in it) and, for
// the benchmark, FOLDER/echo.mjs (an app with the JavaScript SDK). Modules that Vumi's sandbox offered through
// `app_context` stay calls of `require`; the toolkit and its libraries come from npm unchanged.

import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const toolkit = join(here, 'node_modules/vumigo_v02');
const folder = resolve(process.argv[2] ?? 'dist');

// What of node the owner of an app let it use.
const OFFERED = ['buffer', 'crypto', 'events', 'querystring', 'url', 'util'];

const files = (path) => readdirSync(path, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();

const tests = [
  ...files(join(toolkit, 'test')),
  ...files(join(toolkit, 'examples')).filter((path) => basename(dirname(path)) === 'test'),
];

// The module of which all test files are a part.
const suite = {
  name: 'suite',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^suite:tests$/ }, () => ({ path: 'tests', namespace: 'suite' }));
    esbuild.onLoad({ filter: /.*/, namespace: 'suite' }, () => ({
      contents: tests.map((path) => `require(${JSON.stringify(path)});`).join('\n'),
      resolveDir: here,
    }));
  },
};

const offered = {
  name: 'offered',
  setup(esbuild) {
    const filter = new RegExp(`^(${OFFERED.join('|')})$`);
    esbuild.onResolve({ filter }, ({ path }) => ({ path, external: true }));
  },
};

const common = { bundle: true, charset: 'utf8', logLevel: 'error' };

const bundle = (from, name, plugins = []) => build({
  ...common,
  entryPoints: [from],
  outfile: join(folder, `${name}.js`),
  format: 'iife',
  platform: 'browser',
  mainFields: ['main'],
  target: 'es2020',
  inject: [join(here, 'process.js')],
  plugins: [offered, ...plugins],
});

await bundle(join(here, 'suite/run.js'), 'suite', [suite]);
await bundle(join(here, 'features/states.js'), 'bundled');

const repository = join(here, '../../..');
await build({
  ...common,
  entryPoints: [join(repository, 'tests/bench/scripts/echo.js')],
  outfile: join(folder, 'echo.mjs'),
  format: 'esm',
  external: ['vumi:host'],
  alias: { '@vumi/sdk': join(repository, 'sdk/js/src/index.js') },
  banner: { js: '// vumi-app: module' },
});
