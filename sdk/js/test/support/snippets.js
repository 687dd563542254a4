// Finds the examples in the documentation comments of the SDK, and in Markdown files.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below a folder. */
export function files(folder, end) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The documented things of a file: their names, and their examples with the line where each begins. */
export function documented(file) {
  const text = readFileSync(file, 'utf8');
  const found = [];
  for (const match of text.matchAll(/\/\*\*\n((?: \*.*\n)*?) \*\/\n(export )?(?:async )?(?:function|class|const) ([A-Za-z_$]+)/g)) {
    const [, comment, exported, name] = match;
    const lines = comment.split('\n').map((line) => line.replace(/^ \* ?/, ''));
    const at = lines.indexOf('@example');
    const end = lines.findIndex((line, index) => index > at && line.startsWith('@'));
    found.push({
      name,
      exported: exported !== undefined || text.includes(`export { ${name} as `),
      internal: lines.includes('@internal'),
      code: at < 0 ? null : lines.slice(at + 1, end < 0 ? undefined : end).join('\n'),
      line: text.slice(0, match.index).split('\n').length + at + 1,
    });
  }
  return found;
}

/** The fenced blocks of a language in a Markdown file. */
export function blocks(file, language) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map((match) => ({ code: match[3], flags: match[2].trim(), line: text.slice(0, match.index).split('\n').length }));
}
