import type { IncomingHttpHeaders } from 'node:http';

/** Fields that end at each hop (RFC 9110 section 7.6.1), but for Transfer-Encoding, which frames the body. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
];

/** Fields by which a client could pretend to be somebody or somewhere else, or that the gateway says itself. */
const forged =
  /^(x-forwarded(-.*)?|forwarded(-.*)?|x-user(-.*)?|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|x-original-(url|uri|host|for)|x-rewrite-url|x-http-method(-override)?|x-method-override|x-request-deadline)$/;

/** Fields without which the body or its receiver would be understood differently by the next server. */
const framing = new Set(['content-length', 'transfer-encoding', 'host']);

const hops = new Set([...hopByHop, 'expect']);

export interface Hop {
  /** Address of the client, as far as it is known. */
  ip: string;
  protocol: string;
  requestId: string;
  /** W3C trace context for the next hop. */
  traceparent: string;
}

/** The fields that a Connection field names. */
function namedBy(connection: string | undefined): string[] {
  if (!connection || connection === 'keep-alive' || connection === 'close') return [];
  return connection.split(',').map(name => name.trim().toLowerCase());
}

/** Whether the Connection field names a field that must reach the service, so that dropping it would change the body. */
export const dropsFraming = (headers: IncomingHttpHeaders): boolean =>
  namedBy(headers.connection).some(name => framing.has(name));

/**
 * The fields of a request as a service gets them: without what a client may not say to it, and with who is asking instead.
 * A new object, because one that fields are deleted from is slow to read ever after.
 */
export function requestHeadersFor(hop: Hop, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = namedBy(headers.connection);
  const next: IncomingHttpHeaders = {};
  for (const name of Object.keys(headers)) {
    if (hops.has(name) || named.includes(name)) continue;
    if (!forged.test(name.includes('_') ? name.replaceAll('_', '-') : name)) next[name] = headers[name];
  }
  next['x-forwarded-for'] = hop.ip;
  next['x-forwarded-proto'] = hop.protocol;
  if (headers.host !== undefined) next['x-forwarded-host'] = headers.host;
  next['x-request-id'] = hop.requestId;
  next.traceparent = hop.traceparent;
  return next;
}

const notForClients = new Set([...hopByHop, 'transfer-encoding']);

/** The fields of a service's answer that are for the client. */
export function endToEndHeaders(headers: IncomingHttpHeaders): [string, string | string[]][] {
  const named = namedBy(headers.connection);
  return Object.entries(headers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && !notForClients.has(entry[0]) && !named.includes(entry[0]),
  );
}
