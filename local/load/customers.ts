import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** The gateway's answer, or status 0 when there was none in time. */
export interface Answer {
  status: number;
  body: unknown;
}

export type Send = (
  method: string,
  path: string,
  request?: { token?: string; body?: unknown; headers?: Record<string, string> },
) => Promise<Answer>;

const answerLimitMs = 20_000;

/** A client of a gateway that never rejects. */
export function createSend(url: string): Send {
  return async (method, path, { token, body, headers } = {}) => {
    try {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerLimitMs),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, body: isJson && text ? JSON.parse(text) : undefined };
    } catch {
      return { status: 0, body: undefined };
    }
  };
}

const signedIn = z.object({ accessToken: z.string() });

/** Somebody with an account, who signs in again when the token is over. */
export interface Person {
  send(method: string, path: string, request?: Parameters<Send>[2]): Promise<Answer>;
}

/**
 * @param register the account is made first, unless it is there
 */
export function createPerson(
  send: Send,
  account: { email: string; password: string },
  options: { register: boolean },
): Person {
  let signingIn: Promise<string | undefined> | undefined;
  async function signIn(): Promise<string | undefined> {
    if (options.register) await send('POST', '/api/users/register', { body: { ...account, name: 'Load' } });
    const { body } = await send('POST', '/api/users/login', { body: account });
    return signedIn.safeParse(body).data?.accessToken;
  }
  const newToken = () => {
    signingIn = signIn().then(token => {
      if (token === undefined) signingIn = undefined;
      return token;
    });
    return signingIn;
  };
  return {
    async send(method, path, request = {}) {
      const token = await (signingIn ?? newToken());
      if (token === undefined) return { status: 0, body: undefined };
      const answer = await send(method, path, { ...request, token });
      if (answer.status !== 401) return answer;
      const again = await newToken();
      return again === undefined ? answer : send(method, path, { ...request, token: again });
    },
  };
}

/** A customer who did not exist before. */
export const newCustomer = (send: Send): Person =>
  createPerson(send, { email: `load-${randomUUID()}@example.com`, password: randomUUID() }, { register: true });
