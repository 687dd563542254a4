// node's loader asks here where a module is: the native module of the engine is a file in node, and the SDK's own name
// is this folder, as in an app.

const PLACES = new Map([
  ['vumi:host', new URL('./host.js', import.meta.url).href],
  ['@vumi/sdk', new URL('../../src/index.js', import.meta.url).href],
  ['@vumi/sdk/globals', new URL('../../src/globals.js', import.meta.url).href],
]);

export function resolve(specifier, context, next) {
  const url = PLACES.get(specifier);
  return url === undefined ? next(specifier, context) : { url, format: 'module', shortCircuit: true };
}
