import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import type { FuzzCase } from './request.ts';

/** What came back: an answer, or why there was none. */
export interface FuzzAnswer {
  /** 0 when there was no answer. */
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** `hang`, or the system's word for a connection that ended. */
  failure?: string;
}

export interface Sender {
  send(one: FuzzCase): Promise<FuzzAnswer>;
  close(): void;
}

/** Sends cases over connections that are kept, but for raw ones. */
export function createSender(connections: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    send: one => (one.raw ? sendRaw(one, one.raw) : sendOver(agent, one)),
    close: () => agent.destroy(),
  };
}

const nothing = (failure: string): FuzzAnswer => ({ status: 0, headers: {}, text: '', failure });

function sendOver(agent: Agent, one: FuzzCase, again = true): Promise<FuzzAnswer> {
  const { promise, resolve } = Promise.withResolvers<FuzzAnswer>();
  const { hostname, port } = new URL(one.base);
  const timer = setTimeout(() => outgoing.destroy(new Error('hang')), one.limitMs);
  let answered = false;
  const outgoing = request(
    { agent, hostname, port, method: one.method, path: one.path, headers: one.headers },
    (answer: IncomingMessage) => {
      answered = true;
      const pieces: Buffer[] = [];
      answer.on('data', piece => pieces.push(piece));
      answer.on('end', () => {
        clearTimeout(timer);
        const text = Buffer.concat(pieces).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
      });
      answer.on('error', error => resolve(nothing(error.message)));
    },
  );
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    if (answered && error.message !== 'hang') return;
    // A connection that was kept may end just as it is used again.
    const lost = outgoing.reusedSocket && error.code === 'ECONNRESET';
    if (lost && again) void sendOver(agent, one, false).then(resolve);
    else resolve(nothing(error.message === 'hang' ? 'hang' : (error.code ?? error.message)));
  });
  outgoing.end(one.body);
  return promise;
}

function sendRaw(one: FuzzCase, bytes: Buffer): Promise<FuzzAnswer> {
  return new Promise(resolve => {
    const { hostname, port } = new URL(one.base);
    const pieces: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(nothing('hang'));
    }, one.limitMs);
    const settle = () => {
      clearTimeout(timer);
      resolve(parsed(Buffer.concat(pieces).toString()));
    };
    socket.on('data', piece => pieces.push(piece)).on('close', settle);
    socket.on('error', () => {});
  });
}

/** The first answer in what a connection gave before it ended. */
function parsed(text: string): FuzzAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...fields] = text.slice(0, Math.max(0, end)).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? 0);
  if (status === 0) return nothing(text === '' ? 'closed' : 'no HTTP');
  const headers = Object.fromEntries(
    fields.map(field => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  return { status, headers, text: headers['transfer-encoding'] === 'chunked' ? unchunked(body) : body };
}

function unchunked(body: string): string {
  const bytes = Buffer.from(body);
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (end < 0 || !(size > 0)) return Buffer.concat(pieces).toString();
    pieces.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
