// Makes types/ anew: contract.d.ts from wit/, and a .d.ts for each source from its documentation comments.
//
//   npm run types

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as contract from './contract.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Runs TypeScript's compiler; the answer is what it complains about, empty when all is well. */
export function tsc(...words) {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, ...words], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}` || `tsc ended with ${status}`;
}

/** Writes the types of the sources into a folder; the answer is as for `tsc`. */
export function make(folder) {
  const complaints = tsc('-p', 'tsconfig.json', '--outDir', folder);
  // For an export that is called as a word of the language, tsc writes a second one that does not exist.
  const kv = join(folder, 'kv.d.ts');
  if (complaints === '') writeFileSync(kv, readFileSync(kv, 'utf8').replace('export { _delete as delete };\n', ''));
  return complaints;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(contract.file, contract.text);
  const complaints = make(join(ROOT, 'types'));
  process.stdout.write(complaints);
  process.exitCode = complaints === '' ? 0 : 1;
}
