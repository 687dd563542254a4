// What an app finds beside the language itself. `"types": ["@vumi/sdk/engine"]` in its tsconfig.json makes it known.

/// <reference path="./host.d.ts" />

// Of the SDK; `vumi-host build` puts them in where they are used.
declare var fetch: typeof import('./globals.d.ts').fetch;
declare var Headers: typeof import('./globals.d.ts').Headers;
declare var Request: typeof import('./globals.d.ts').Request;
declare var Response: typeof import('./globals.d.ts').Response;
declare var URL: typeof import('./globals.d.ts').URL;
declare var URLSearchParams: typeof import('./globals.d.ts').URLSearchParams;
declare var AbortSignal: typeof import('./globals.d.ts').AbortSignal;
declare var AbortController: typeof import('./globals.d.ts').AbortController;
