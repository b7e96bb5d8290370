import { randomBytes } from 'node:crypto';
import { send, type TestAnswer } from '@tradepost/local/testing';
import type { LoadedShop } from '../real/load.ts';
import { containers, until } from './engine.ts';

/** Address of the gateway, and the administrator, of the shop that the suite has started. */
export const url = process.env.TEST_SHOP_URL ?? '';
const [, email = '', password = ''] = /^([^:]+):(.*)$/.exec(process.env.TEST_SHOP_ADMIN ?? '') ?? [];

async function token(path: string, body: unknown): Promise<string> {
  const answer = await send(url, 'POST', path, { body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.accessToken;
}

/** The shop, by its gateway. */
export const shop: LoadedShop = {
  send: (method, path, options) => send(url, method, path, options),
  register: () =>
    token('/api/users/register', {
      email: `customer-${randomBytes(8).toString('hex')}@example.com`,
      password: 'a long enough password',
      name: 'Ada',
    }),
  adminToken: () => token('/api/users/login', { email, password }),
  // Its processes are in containers, where the time that they wait for a processor cannot be read.
  instances: () => [],
};

const unanswered = () => undefined;

/** Waits until every container runs, those that have a check are healthy, and the gateway answers for all services. */
export async function allWell(limitMs: number): Promise<number> {
  let seen: unknown;
  return until(
    async () => {
      const bad = (await containers()).filter(one => one.state !== 'exited' && !isWell(one));
      const health = await shop.send('GET', '/health').catch(unanswered);
      seen = { bad: bad.map(one => `${one.service} ${one.state} ${one.health}`), health: health?.body };
      return bad.length === 0 && health?.body.status === 'healthy';
    },
    limitMs,
    () => seen,
  );
}

export const isWell = ({ state, health }: { state: string; health: string }): boolean =>
  state === 'running' && (health === 'healthy' || health === 'none');

/**
 * Waits until the books of the suite's shop are clean without patience for unfinished work, and no order is pending.
 * @returns milliseconds that it took
 */
export const settled = (limitMs: number): Promise<number> => settledAt(shop, limitMs);

/** The same of any shop. */
export async function settledAt(shop: Pick<LoadedShop, 'send' | 'adminToken'>, limitMs: number): Promise<number> {
  let admin: string | undefined;
  let seen: unknown;
  const ask = async (path: string): Promise<TestAnswer | undefined> => {
    admin ??= await shop.adminToken().catch(unanswered);
    return admin === undefined ? undefined : shop.send('GET', path, { token: admin }).catch(unanswered);
  };
  return until(
    async () => {
      const audit = await ask('/api/operations/audit?patienceMs=0');
      const pending = await ask('/api/orders?status=pending&limit=1');
      seen = { audit: audit?.body.findings?.slice(0, 5) ?? audit?.status, pending: pending?.body.items?.length };
      return audit?.body.clean === true && pending?.body.items?.length === 0;
    },
    limitMs,
    () => seen,
  );
}
