import { authorize, type VerifyToken } from '@tradepost/shared/http/auth';
import type { Actor } from '@tradepost/shared/http/route';
import type { RequestHandler, Response } from 'express';

/** Learns who is asking before the limits, and refuses a bad token after them, so that guessing tokens is limited too. */
export interface IdentityCheck {
  learn: RequestHandler;
  refuse: RequestHandler;
  /** The user whose good token came with the request. */
  userOf(response: Response): Actor | undefined;
}

/** What is known of who asks, in `response.locals`: a WeakMap of all answers would be dear to collect. */
interface IdentityLocals {
  actor?: Actor;
  refusal?: unknown;
}

/**
 * Checks a token wherever one is sent; which routes need one is the services' business, and they check again.
 * @param verify of users' tokens
 */
export function createIdentityCheck(verify: VerifyToken): IdentityCheck {
  const verifiers = { user: verify, service: verify };
  return {
    async learn(request, response, next) {
      const { authorization } = request.headers;
      if (authorization !== undefined) {
        try {
          const actor = await authorize('public', authorization, {}, verifiers);
          if (actor) {
            localsOf(response).actor = actor;
            request.actorId = actor.id;
          }
        } catch (error) {
          localsOf(response).refusal = error;
        }
      }
      next();
    },
    refuse(_request, response, next) {
      const { refusal } = localsOf(response);
      if (refusal !== undefined) throw refusal;
      next();
    },
    userOf: response => localsOf(response).actor,
  };
}

const localsOf = (response: Response): IdentityLocals => response.locals;
