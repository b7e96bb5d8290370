import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import { keySetMaxAgeSeconds } from '../domain/signingKeys.ts';
import type * as operations from '../routes/authOperations.ts';
import type { KeyRing } from '../services/keyRing.ts';
import type { Credentials } from '../services/logIn.ts';
import type { NewUser } from '../services/registerUser.ts';
import type { SignedIn, Tokens } from '../services/signIn.ts';

export interface AuthControllerDependencies {
  registerUser(input: NewUser, userAgent: string | null): Promise<SignedIn>;
  logIn(input: Credentials, userAgent: string | null): Promise<SignedIn>;
  refreshSession(refreshToken: string): Promise<Tokens>;
  logOut(refreshToken: string): Promise<void>;
  keyRing: Pick<KeyRing, 'published'>;
}

const maxUserAgent = 200;

/** How the device names itself, cut to what helps to tell sessions apart; header values are printable already. */
function userAgentOf(request: { header(name: string): string | undefined }): string | null {
  return request.header('user-agent')?.slice(0, maxUserAgent) ?? null;
}

type Operations = typeof operations;
type Controllers = { [Name in keyof Operations]: ControllerOf<Operations[Name]> };

/** Signing in and out, and the keys to check it with. */
export function createAuthController(dependencies: AuthControllerDependencies): Controllers {
  const { registerUser, logIn, refreshSession, logOut, keyRing } = dependencies;
  return {
    register: async request => {
      const signedIn = await registerUser(request.body, userAgentOf(request));
      return reply(201, signedIn, { Location: `/api/users/${signedIn.user.id}` });
    },
    login: async request => reply(200, await logIn(request.body, userAgentOf(request))),
    refresh: async ({ body }) => reply(200, await refreshSession(body.refreshToken)),
    logout: async ({ body }) => {
      await logOut(body.refreshToken);
      return reply(204);
    },
    keySet: async () =>
      reply(200, { keys: keyRing.published() }, { 'Cache-Control': `public, max-age=${keySetMaxAgeSeconds}` }),
  };
}
