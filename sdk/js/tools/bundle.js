// Makes one script of an app, with the options of `vumi-host build` and the SDK of this folder.
//
//   node tools/bundle.js APP.js OUT.mjs [APP.js OUT.mjs …]

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url));

/** Finds the SDK where npm would have put a link to it. */
const sdk = {
  name: 'sdk',
  setup({ onResolve }) {
    onResolve({ filter: /^@vumi\/sdk(\/globals)?$/ }, ({ path }) => ({
      path: join(SOURCES, path.endsWith('/globals') ? 'globals.js' : 'index.js'),
      sideEffects: false,
    }));
  },
};

/** Bundles; the answer is the text, and what it imports. */
export async function bundle(options) {
  const { metafile, outputFiles } = await build({
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['module', 'main'],
    charset: 'utf8',
    external: ['vumi:host'],
    loader: { '.po': 'text' },
    inject: ['@vumi/sdk/globals'],
    banner: { js: '// vumi-app: module' },
    plugins: [sdk],
    metafile: true,
    logLevel: 'silent',
    write: false,
    ...options,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { text: outputFiles[0].text, imports: [...new Set(imports)] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2).map((word) => resolve(word));
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [entry, out] = [words[at], words[at + 1]];
    const { text } = await bundle({ entryPoints: [entry] });
    mkdirSync(dirname(out), { recursive: true });
    // By rename, so that a test that runs meanwhile sees the old file or the new one.
    writeFileSync(`${out}.part`, text);
    renameSync(`${out}.part`, out);
  }
}
