import { type ClientRequest, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { ClientGone } from '@tradepost/shared/http/body';
import { deadlineHeader } from '@tradepost/shared/http/requestScope';
import type { Request, Response } from 'express';
import { createProxyMiddleware, type Plugin } from 'http-proxy-middleware';
import { endToEndHeaders } from '../domain/headers.ts';

/** One request on its way to a service, over all its tries. */
export interface Exchange {
  /** Where the next try goes. */
  target: URL;
  /** The collected body; undefined where it streams or there is none. */
  body?: Buffer;
  /** When the service must have answered, in milliseconds since the epoch; undefined where only standing still counts. */
  deadline?: number;
  /** Called for each piece that passes where only standing still counts. */
  onProgress?: () => void;
  /** Called with the head of the answer, before its body passes. */
  onAnswer?: (answer: IncomingMessage) => void;
  /** The running try. */
  call?: ClientRequest;
  /** Another instance can be asked: a 503 is not passed on. */
  hasAlternative: boolean;
  /** The head of an answer has come; from here on a failure can only cut the client off. */
  answered: boolean;
  /** Nobody waits any more. */
  over: boolean;
}

export interface UpstreamProxy {
  /**
   * Sends the request to the exchange's target. The answer's body streams on its own; when the service breaks off in it,
   * the client's connection is destroyed.
   * @returns the status, when the head of the answer is there; a 503 with `exchange.hasAlternative` went no further
   * @throws the system's or parser's error; ClientGone when the client left
   */
  send(request: Request, response: Response, exchange: Exchange): Promise<number>;
  close(): void;
}

interface Try {
  exchange: Exchange;
  resolve: (status: number) => void;
  reject: (error: Error) => void;
}

/** The running try, on its request: a WeakMap of all requests would be dear to collect. */
const running = Symbol('try');
type Tried = Request & { [running]?: Try };

// Less than the 30 s for which services keep idle connections, so that a connection is not closed just as it is used.
const agentOptions = { keepAlive: true, maxSockets: 64, maxFreeSockets: 64, timeout: 15_000, noDelay: true };

/**
 * Proxies by http-proxy-middleware, whose answering half is replaced: its error handler completes broken answers, its
 * header copy hands hop-by-hop fields on. All its own plugins are off, because they answer and log on their own.
 */
export function createUpstreamProxy(): UpstreamProxy {
  const [agent, tlsAgent] = [new HttpAgent(agentOptions), new HttpsAgent(agentOptions)];
  const middleware = createProxyMiddleware<Request, Response>({
    router: (request, _response, options) => {
      const { target, body } = tryOf(request).exchange;
      options.agent = target.protocol === 'https:' ? tlsAgent : agent;
      if (body) options.buffer = streamOf(body);
      return target;
    },
    changeOrigin: true,
    selfHandleResponse: true,
    ejectPlugins: true,
    plugins: [followTries],
  });
  return {
    send: (request, response, exchange) =>
      new Promise((resolve, reject) => {
        (request as Tried)[running] = { exchange, resolve, reject };
        if (response.closed) reject(new ClientGone());
        else void middleware(request, response, error => reject(error as Error));
      }),
    close: () => {
      agent.destroy();
      tlsAgent.destroy();
    },
  };
}

function tryOf(request: Tried): Try {
  const found = request[running];
  if (!found) throw new Error('A request was proxied without an exchange');
  return found;
}

const streamOf = (body: Buffer): Readable =>
  new Readable({
    read() {
      this.push(body);
      this.push(null);
    },
  });

const followTries: Plugin<Request, Response> = proxyServer => {
  // A connection is there, and nothing sent yet.
  proxyServer.on('proxyReq', (call, request) => {
    const { exchange } = tryOf(request);
    if (exchange.over) {
      call.destroy();
      return;
    }
    exchange.call = call;
    if (exchange.deadline !== undefined) {
      call.setHeader(deadlineHeader, String(Math.max(1, exchange.deadline - Date.now())));
    }
    if (exchange.onProgress) request.on('data', exchange.onProgress);
  });
  proxyServer.on('proxyRes', (answer, request, response) => {
    const { exchange, resolve } = tryOf(request);
    if (exchange.over || response.headersSent) {
      answer.destroy();
      return;
    }
    if (answer.statusCode === 503 && exchange.hasAlternative) {
      answer.resume();
      resolve(503);
      return;
    }
    exchange.answered = true;
    exchange.onAnswer?.(answer);
    response.statusCode = answer.statusCode ?? 502;
    for (const [name, value] of endToEndHeaders(answer.headers)) response.setHeader(name, value);
    if (exchange.onProgress) answer.on('data', exchange.onProgress);
    pass(answer, response);
    resolve(response.statusCode);
  });
  proxyServer.on('error', (error, request) => {
    if (request) tryOf(request).reject(error);
  });
  proxyServer.on('econnreset', (_error, request) => tryOf(request).reject(new ClientGone()));
};

/** What `pipe` does, with a third of its listeners: whoever breaks off is looked after elsewhere. */
function pass(answer: IncomingMessage, response: Response): void {
  answer.on('data', (chunk: Buffer) => {
    if (response.write(chunk)) return;
    answer.pause();
    response.once('drain', () => answer.resume());
  });
  answer.once('end', () => response.end());
}
