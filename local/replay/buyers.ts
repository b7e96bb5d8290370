import { createHmac } from 'node:crypto';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import type { ShopAnswer, ShopClient, ShopRequest } from './shopClient.ts';

const session = z.object({ accessToken: z.string(), refreshToken: z.string() });
type Session = z.infer<typeof session>;

/** Someone who is signed in; a token that has run out is replaced behind the scenes. */
export interface Account {
  send(method: string, path: string, request?: Omit<ShopRequest, 'token'>): Promise<ShopAnswer>;
}

/**
 * Signs in with a password.
 * @throws StartError when the shop does not know the pair
 */
export async function signIn(client: ShopClient, email: string, password: string): Promise<Account> {
  return account(client, email, password, await logIn(client, email, password));
}

/** The accounts of the order file's customers: registered when first needed, found again by a run with the same seed. */
export function createBuyers(client: ShopClient, seed: string): (customerId: string) => Promise<Account> {
  const known = new Map<string, Promise<Account>>();
  return customerId => {
    const made = known.get(customerId) ?? register(client, seed, customerId);
    known.set(customerId, made);
    return made;
  };
}

async function register(client: ShopClient, seed: string, customerId: string): Promise<Account> {
  const secret = createHmac('sha256', seed).update(customerId).digest('hex');
  const [email, password] = [`buyer-${customerId}-${secret.slice(0, 8)}@replay.example`, secret.slice(8, 40)];
  const answer = await client.send('POST', '/api/users/register', {
    body: { email, password, name: `Customer ${customerId}` },
  });
  const made = answer.status === 201 ? session.parse(answer.body) : await logIn(client, email, password);
  return account(client, email, password, made);
}

async function logIn(client: ShopClient, email: string, password: string): Promise<Session> {
  const answer = await client.send('POST', '/api/users/login', { body: { email, password } });
  if (answer.status !== 200) throw new StartError(`${client.url} does not let ${email} in (${answer.status})`);
  return session.parse(answer.body);
}

function account(client: ShopClient, email: string, password: string, first: Session): Account {
  let current = Promise.resolve(first);
  async function renew(old: Session): Promise<Session> {
    const answer = await client.send('POST', '/api/users/refresh', { body: { refreshToken: old.refreshToken } });
    return answer.status === 200 ? session.parse(answer.body) : logIn(client, email, password);
  }
  return {
    async send(method, path, request = {}) {
      const used = current;
      const answer = await client.send(method, path, { ...request, token: (await used).accessToken });
      if (answer.status !== 401) return answer;
      // Whoever comes first renews, the others wait for the same session: a refresh token may be used once only.
      if (current === used) current = used.then(renew);
      return client.send(method, path, { ...request, token: (await current).accessToken });
    },
  };
}
