// What bundlers of that time put in for node's `process`.
export const process = {
  argv: [],
  browser: true,
  env: {},
  version: '',
  versions: {},
  cwd: () => '/',
  nextTick: (work, ...given) => setTimeout(() => work(...given), 0),
};
