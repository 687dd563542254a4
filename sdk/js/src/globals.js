/**
 * What the web platform has as globals and the script engine has not. `vumi-host build` puts these in where an app uses
 * the names without importing them (esbuild's option `inject`), and nothing where it does not.
 *
 * @module
 */

export { AbortController, AbortSignal } from './fetch/abort.js';
export { fetch } from './fetch/fetch.js';
export { Headers } from './fetch/headers.js';
export { Request } from './fetch/request.js';
export { Response } from './fetch/response.js';
export { URLSearchParams } from './fetch/search-params.js';
export { URL } from './fetch/url.js';
