import type { Request } from 'autocannon';
import { type Contender, compare, type Sample } from '../measure.ts';
import { type Branch, signIn } from './branch.ts';

export const readNames = [
  'own orders, newest 20',
  'order by id',
  'all orders of a status, newest 20',
  'payment of an order',
] as const;

export interface ReadSample extends Sample {
  branch: Branch;
  read: (typeof readNames)[number];
}

export interface ReadOptions {
  connections: number;
  /** Length of each round, in seconds. */
  seconds: number;
  rounds: number;
  say(line: string): void;
}

/** Orders that are looked at, drawn from all: most of a million are in no cache of the database. */
const looked = 5_000;

/** Loads every read of every branch in turn. */
export async function measureReads(branches: readonly Branch[], options: ReadOptions): Promise<ReadSample[]> {
  const all: (Contender & Pick<ReadSample, 'branch' | 'read'>)[] = [];
  const requests = new Map<Branch, Record<ReadSample['read'], Request[]>>();
  for (const branch of branches) requests.set(branch, await requestsOf(branch));
  for (const read of readNames) {
    for (const branch of branches) {
      const { name, shop } = branch;
      const asked = requests.get(branch)?.[read] ?? [];
      all.push({ ...{ branch, read, name: `${name}: ${read}`, url: shop.url, pids: shop.pids() }, requests: asked });
    }
  }
  const samples = await compare(all, options);
  return samples.map((sample, nth) => ({ ...sample, branch: all[nth]!.branch, read: all[nth]!.read }));
}

async function requestsOf(branch: Branch): Promise<Record<ReadSample['read'], Request[]>> {
  const { tokens } = await signIn(branch);
  const admin = await branch.shop.adminToken();
  const get = (path: string, token: string): Request => ({
    ...{ method: 'GET', path, headers: { authorization: `Bearer ${token}` } },
  });
  const drawn = await branch.databases
    .collection('order-service/orders')
    .aggregate<{ _id: string }>([{ $sample: { size: looked } }, { $project: { _id: 1 } }])
    .toArray();
  const statuses = ['confirmed', 'shipped', 'delivered', 'cancelled'];
  return {
    'own orders, newest 20': tokens.map(token => get('/api/orders', token)),
    'order by id': drawn.map(({ _id }) => get(`/api/orders/${_id}`, admin)),
    'all orders of a status, newest 20': statuses.map(status => get(`/api/orders?status=${status}`, admin)),
    'payment of an order': drawn.map(({ _id }) => get(`/api/payments?orderId=${_id}`, admin)),
  };
}
