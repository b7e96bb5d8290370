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

/**
 * Checks a token wherever one is sent; which routes need one is the services' business, and they check again.
 * @param verify of users' tokens
 */
export function createIdentityCheck(verify: VerifyToken): IdentityCheck {
  const users = new WeakMap<Response, Actor>();
  const refusals = new WeakMap<Response, unknown>();
  const verifiers = { user: verify, service: verify };
  return {
    async learn(request, response, next) {
      const { authorization } = request.headers;
      if (authorization !== undefined) {
        try {
          const actor = await authorize('public', authorization, {}, verifiers);
          if (actor) users.set(response, actor);
        } catch (error) {
          refusals.set(response, error);
        }
      }
      next();
    },
    refuse(_request, response, next) {
      const refusal = refusals.get(response);
      if (refusal !== undefined) throw refusal;
      next();
    },
    userOf: response => users.get(response),
  };
}
