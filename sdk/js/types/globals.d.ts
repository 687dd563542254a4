export { fetch } from "./fetch/fetch.js";
export { Headers } from "./fetch/headers.js";
export { Request } from "./fetch/request.js";
export { Response } from "./fetch/response.js";
export { URLSearchParams } from "./fetch/search-params.js";
export { URL } from "./fetch/url.js";
export { AbortController, AbortSignal } from "./fetch/abort.js";
