// Made from wit/*.wit by tools/types.js. Do not edit.

/**
 * Where a message stands in a conversation that has a beginning and an end (USSD, chat). A message without
 * one belongs to no session.
 */
export type SessionEvent =
  /** The user began: the first message of a session. Its content is often absent. */
  | 'new'
  /** The user answered within a session. */
  | 'resume'
  /** The session is over: the user hung up, the network gave up, or a reply closed it. No reply is possible. */
  | 'close';

/** A message from a user (or, in the hands of a router or middleware, to a user). */
export interface MessageFields {
  /** Names this message; 32 hexadecimal digits where the host made it. */
  messageId: string;
  /** When it was made: microseconds since 1970-01-01T00:00:00Z. */
  timestamp: number;
  /** Where it goes, e.g. a short code or a USSD code. Absent for some group messages. */
  toAddr: string | null;
  /** Who sent it, e.g. a phone number. */
  fromAddr: string | null;
  /** What kind of address `to-addr` is, e.g. `msisdn`, where the transport knows. */
  toAddrType: string | null;
  /** What kind of address `from-addr` is. */
  fromAddrType: string | null;
  /** The text. Absent when the network sent none, as at the beginning of many USSD sessions. */
  content: string | null;
  sessionEvent: SessionEvent | null;
  /** The message that this one answers. */
  inReplyTo: string | null;
  /** The transport that it came through. */
  transportName: string | null;
  /** What kind of network that is: `sms`, `ussd`, `telnet`, `xmpp`, … */
  transportType: string | null;
  /** The group or channel, in chat networks. */
  group: string | null;
  /** The mobile network operator, where known. */
  provider: string | null;
  /** Which of the app's endpoints it arrived at; `default` unless the host is configured otherwise. */
  endpoint: string;
  /** Belongs to the transport: opaque, passed back in replies. The text of a JSON object. */
  transportMetadata: string;
  /** Belongs to dispatchers and middleware, e.g. tags. The text of a JSON object. */
  helperMetadata: string;
}

export type DeliveryStatus =
  | 'pending'
  | 'failed'
  | 'delivered';

export interface EventFields {
  eventId: string;
  /** The message that it is about, as `outbound` returned its id. */
  userMessageId: string | null;
  /** Microseconds since 1970-01-01T00:00:00Z. */
  timestamp: number;
  /** What happened to a message that the app sent. */
  kind: 'ack' | 'nack' | 'delivery-report';
  /** The network took it and calls it by this id. */
  sentMessageId: string | null;
  /** The network or the host refused it, for this reason. */
  reason: string | null;
  /** The network reports on its way to the phone. */
  deliveryStatus: DeliveryStatus | null;
  /** The transport that reports. */
  transportName: string | null;
  endpoint: string;
  /** The text of a JSON object. */
  transportMetadata: string;
  helperMetadata: string;
}

/** Why a host call did not do what it was asked. */
export type ErrorFields =
  /** The app may not do this; the host's configuration would have to allow it. */
  | { tag: 'denied'; val: string }
  /** A limit is used up. The text names the limit. */
  | { tag: 'quota'; val: string }
  /** The arguments make no sense. The text says which and why. */
  | { tag: 'invalid'; val: string }
  /** Not possible now; a later try may succeed. */
  | { tag: 'unavailable'; val: string };

/** The levels of Vumi: 10, 20, 30, 40, 50. */
export type Level =
  | 'debug'
  | 'info'
  | 'warning'
  | 'error'
  | 'critical';

/** How several values within one interval become one. */
export type Aggregator =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'last';

export type HttpMethod =
  | 'get'
  | 'put'
  | 'delete'
  | 'head'
  | 'post'
  | 'patch';

export interface HttpRequestFields {
  method: HttpMethod;
  /** `http://` or `https://`. */
  url: string;
  /** Names may repeat. */
  headers: Array<[string, string]>;
  body: Uint8Array | null;
  /** The whole exchange must end within this time; the host's own limit applies in any case. */
  timeoutMs: number | null;
}

export interface HttpResponseFields {
  /** The final status, whatever it is: a 404 or 500 is a response, not an error. */
  status: number;
  headers: Array<[string, string]>;
  body: Uint8Array;
}
