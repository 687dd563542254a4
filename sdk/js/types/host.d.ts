// What the host's script engine has: the native module `vumi:host`, and the names beside those of the language.

declare module 'vumi:host' {
  interface ReplyOptions {
    closeSession: boolean;
    /** The text of a JSON object. */
    helperMetadata: string | null;
  }

  interface SendOptions {
    endpoint: string | null;
    /** The text of a JSON object. */
    helperMetadata: string | null;
  }

  // Every function is synchronous. A refused call throws an error whose `name` is `HostError` and whose `kind` says why.
  export function log(level: import('./contract.d.ts').Level, text: string): void;
  /** The text of a JSON value. */
  export function kvGet(key: string): string | null;
  export function kvSet(key: string, jsonText: string, ttlSeconds: number | null): void;
  export function kvDelete(key: string): boolean;
  export function kvIncr(key: string, amount: number): number;
  export function reply(content: string | null, options: ReplyOptions): string;
  export function replyToGroup(content: string | null, options: ReplyOptions): string;
  export function sendTo(toAddr: string, content: string | null, options: SendOptions): string;
  export function httpRequest(
    request: Omit<import('./contract.d.ts').HttpRequestFields, 'method'> & { method: string },
  ): import('./contract.d.ts').HttpResponseFields;
  export function configGet(key: string): string | null;
  export function fireMetric(name: string, value: number, aggregator: import('./contract.d.ts').Aggregator): void;
}

// Translations, as `vumi-host build` bundles them.
declare module '*.po' {
  const text: string;
  export default text;
}

// Each call is one entry of the app's log.
declare var console: {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  dir(value: unknown): void;
  assert(condition?: unknown, ...values: unknown[]): void;
};

declare class TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

/** A timer that runs. */
interface Timer {
  ref(): this;
  unref(): this;
}

declare function setTimeout(callback: (...args: any[]) => void, milliseconds?: number, ...args: any[]): Timer;
declare function clearTimeout(timer: Timer | undefined): void;
declare function setInterval(callback: (...args: any[]) => void, milliseconds?: number, ...args: any[]): Timer;
declare function clearInterval(timer: Timer | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
declare function atob(text: string): string;
declare function btoa(text: string): string;

declare var crypto: {
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): string;
};

declare var performance: { now(): number };
