import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '../errors.ts';
import { framingError, maxHeaders } from './framing.ts';
import { headersOf, newIdentity, problemType, sendProblem, toProblem } from './problem.ts';

export interface ListenOptions {
  /** 0 for any free port. */
  port: number;
  host: string;
  /** Milliseconds that an idle connection is kept; longer than the callers keep theirs. */
  keepAliveMs?: number;
  /** Milliseconds for the head of a request. */
  headersTimeoutMs?: number;
  /** Milliseconds for a whole request to arrive. Default 0, no limit: whoever reads a body watches it. */
  requestTimeoutMs?: number;
  maxConnections?: number;
}

export interface Listener {
  port: number;
  server: Server;
  /** From now on every answer is the last one of its connection; new ones are still taken. */
  leave(): void;
  /** Answers what is running with `Connection: close`, takes nothing new, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens with limits on time, size and number of connections; what Node's parser refuses is answered by a problem.
 * @throws the system's error when the port cannot be had (EADDRINUSE, EACCES)
 */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listener> {
  let draining = false;
  const answering: Answering = new WeakMap();
  const refused = new WeakSet<Socket>();
  const serve: RequestListener = (request, response) => {
    // What follows a request that could be read in two ways may be a part of it.
    if (refused.has(request.socket)) return;
    if (draining) response.setHeader('Connection', 'close');
    const error = framingError(request);
    if (error) {
      refused.add(request.socket);
      refuseRequest(response, error);
      return;
    }
    track(answering, request.socket, response);
    handler(request, response);
  };
  const server = createServer(
    {
      keepAlive: true,
      noDelay: true,
      keepAliveTimeout: options.keepAliveMs ?? 30_000,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 0,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
      // Checked by framingError, whose answer is a problem.
      requireHostHeader: false,
    },
    serve,
  );
  // One more than is allowed, so that too many are seen.
  server.maxHeadersCount = maxHeaders + 1;
  server.maxConnections = options.maxConnections ?? 1_000;
  // RFC 9110 section 10.1.1: an expectation that is not known may be ignored.
  server.on('checkExpectation', serve);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!refused.has(socket as Socket)) refuse(error, socket as Socket, answering);
  });
  server.on('connect', (_request, socket) => refuse({ code: 'CONNECT' }, socket as Socket, answering));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    server,
    leave: () => {
      draining = true;
    },
    close: graceMs => {
      draining = true;
      return drain(server, graceMs);
    },
  };
}

/** The unfinished answers of each connection; with pipelining there may be several. */
type Answering = WeakMap<Socket, Set<ServerResponse>>;

function track(answering: Answering, socket: Socket, response: ServerResponse): void {
  const open = answering.get(socket) ?? new Set();
  answering.set(socket, open.add(response));
  response.once('close', () => {
    open.delete(response);
    if (!response.req.complete) closeUnlessRead(response.req, socket);
  });
}

/** A body that nobody waits for any more may not hold the connection for as long as it likes. */
function closeUnlessRead(request: IncomingMessage, socket: Socket): void {
  // Not request.socket: a request that was destroyed has none any more.
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}

const lingerMs = 1_000;

async function drain(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(force);
}

function refuseRequest(response: ServerResponse, error: AppError): void {
  const identity = newIdentity();
  response.setHeader('X-Request-Id', identity.requestId);
  response.setHeader('X-Trace-Id', identity.traceId);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Connection', 'close');
  sendProblem(response, error, '/', identity);
}

/** Node's parser errors as problems, written by hand because there is no response object. */
function refuse(error: { code?: string }, socket: Socket, answering: Answering): void {
  // Bytes of a problem inside an answer that has begun would be taken for a part of it.
  const begun = [...(answering.get(socket) ?? [])].some(response => response.headersSent);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.setTimeout(1_000, () => socket.destroy());
  if (begun) {
    // What was answered may not have left yet.
    socket.destroySoon();
    return;
  }
  const identity = newIdentity();
  const problem = toAppProblem(error.code);
  const body = JSON.stringify(toProblem(problem, '/', identity));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${identity.requestId}`,
    `X-Trace-Id: ${identity.traceId}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
    ...Object.entries(headersOf(problem)).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function toAppProblem(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers_too_large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('request_timeout');
  if (code === 'HPE_INVALID_METHOD' || code === 'CONNECT') return new AppError('method_not_implemented');
  return new AppError('invalid_request', { detail: 'This is not a valid HTTP request' });
}
