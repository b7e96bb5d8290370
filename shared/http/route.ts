import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';

/**
 * Who may call a route. `public` anyone (a token that is sent must still be good) · `user` any signed-in user ·
 * `owner` a signed-in user, and the use case answers 404 for what is somebody else's (admins see all) ·
 * `self` the user named by the path's `id` or `userId`, or an admin · `admin` · `service` another service's token.
 */
export type Access = 'public' | 'user' | 'owner' | 'self' | 'admin' | 'service';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Who is calling, as the verified token says. */
export interface Actor {
  /** User id, or the service's name. */
  id: string;
  role: 'customer' | 'admin' | 'service';
  /** Session of a user's token. */
  sessionId?: string;
}

export interface AnswerSchema {
  description: string;
  body?: z.ZodType;
  /** Media type of a text, which may come instead of the body. */
  contentType?: string;
  headers?: Record<string, string>;
}

/** The contract of an endpoint: checked at run time, and the source of the OpenAPI document. */
export interface Operation<Params = unknown, Query = unknown, Body = unknown> {
  id: string;
  summary: string;
  description?: string;
  tag: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  /** Request header fields that the route reads, for the documentation. */
  headers?: Record<string, { description: string; required?: boolean }>;
  answers: Record<number, AnswerSchema>;
  /** Codes beyond those that every route can answer. */
  errors?: readonly ErrorCode[];
  /** Media types of a body that is streamed to the controller instead of parsed. */
  streamed?: readonly string[];
  /** Milliseconds after which the caller stops waiting; default 3,000. */
  deadlineMs?: number;
}

export interface ApiRequest<Params = unknown, Query = unknown, Body = unknown> {
  params: Params;
  query: Query;
  body: Body;
  /** The verified caller, or undefined on a public route without a token. */
  actor: Actor | undefined;
  requestId: string;
  /** A request header field; undefined when it is absent. */
  header(name: string): string | undefined;
  /** Aborts when the client has left or the deadline is over. */
  signal: AbortSignal;
  /** The request as it arrives, for streamed bodies. */
  stream: IncomingMessage;
  logger: Logger;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** JSON that is written already, sent instead of `body`. */
  text?: string;
  /** Sent instead of `body`, piece by piece. */
  stream?: Readable;
}

export type Controller<Params, Query, Body> = (request: ApiRequest<Params, Query, Body>) => Promise<Answer>;

/** The controller's type of an operation: `ControllerOf<typeof createOrder>`. */
export type ControllerOf<O> = O extends Operation<infer P, infer Q, infer B> ? Controller<P, Q, B> : never;

/** One endpoint. A service's routes are a list of these; order matters where paths overlap. */
export interface Route {
  method: Method;
  /** Express path, as `/api/orders/:id`. */
  path: string;
  access: Access;
  operation: Operation;
  controller: Controller<unknown, unknown, unknown>;
}

/** Types an operation by its schemas. */
export function operation<P = unknown, Q = unknown, B = unknown>(definition: Operation<P, Q, B>): Operation<P, Q, B> {
  return definition;
}

const define =
  (method: Method) =>
  <P, Q, B>(path: string, access: Access, operation: Operation<P, Q, B>, controller: Controller<P, Q, B>): Route =>
    ({ method, path, access, operation, controller }) as unknown as Route;

export const get = define('get');
export const post = define('post');
export const put = define('put');
export const patch = define('patch');
export const del = define('delete');

/** An answer with a JSON body. */
export function reply(status: number, body?: unknown, headers?: Record<string, string>): Answer {
  return { status, ...(body === undefined ? {} : { body }), ...(headers ? { headers } : {}) };
}

/**
 * The signed-in user of a request.
 * @throws AppError `unauthenticated` when there is none
 */
export function userOf(request: { actor: Actor | undefined }): Actor {
  if (!request.actor) throw new AppError('unauthenticated');
  return request.actor;
}

/** Whether the actor may see what belongs to `userId`. */
export function mayAccess(actor: Actor, userId: string): boolean {
  return actor.role === 'admin' || actor.id === userId;
}
