import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@tradepost/shared/clock';
import { orderConfirmed } from '@tradepost/shared/events/orders';
import { silentLogger } from '@tradepost/shared/logger';
import { createRabbitBus } from '@tradepost/shared/messaging/rabbitBus';
import type { CommitDocument } from '../../order-service/src/models/commit.ts';
import { openBooks } from './books.ts';
import type { Branch } from './branch.ts';
import type { Databases, Row } from './databases.ts';
import { copyOf, insertAll } from './generate.ts';
import type { Template } from './templates.ts';

/** Hears every order.confirmed that the shop publishes. */
export interface LagMeter {
  /** Milliseconds from each confirmation to its arrival here since the last call, sorted. */
  take(): number[];
  stop(): Promise<void>;
}

export async function startLagMeter({ servers }: Branch): Promise<LagMeter> {
  const parts = { clock: systemClock, logger: silentLogger(), random: Math.random };
  const bus = createRabbitBus({ ...parts, url: servers.rabbitmqUrl, name: 'lag meter' });
  let lags: number[] = [];
  await bus.listen({
    message: orderConfirmed,
    async handle({ time }) {
      lags.push(Date.now() - Date.parse(time));
    },
  });
  return {
    take() {
      const taken = lags.sort((a, b) => a - b);
      lags = [];
      return taken;
    },
    stop: () => bus.close(),
  };
}

export interface Drained {
  /** Commits of orders that order-service publishes and marks in a second. */
  commitsPerSecond: number;
  /** Confirmations that user-service handles in a second. */
  handledPerSecond: number;
}

const limitMs = 120_000;
/** Until order-service may take the commits that are stored for it: long enough to store them all before. */
const headStartMs = 3_000;

/**
 * Gives the shop orders whose commits a killed instance has left unpublished, and measures how fast they are published;
 * user-service stands still meanwhile, and then how fast it handles what waits in its queue.
 */
export async function drainBacklog(branch: Branch, orders: number, random: () => number): Promise<Drained> {
  const { databases, shop } = branch;
  await atRest(databases);
  const userService = shop.pidOf('user-service');
  const commits = databases.collection('order-service/events');
  const pending = () => commits.countDocuments({ pending: true });
  const counted = () => databases.collection('user-service/confirmed_orders').estimatedDocumentCount();
  const before = await counted();
  const count = await leaveUnpublished(branch, orders, random);
  let commitsPerSecond: number;
  process.kill(userService, 'SIGSTOP');
  try {
    commitsPerSecond = await rateOf(pending, count, 0);
  } finally {
    process.kill(userService, 'SIGCONT');
  }
  return { commitsPerSecond, handledPerSecond: await rateOf(counted, before, before + orders) };
}

/** Waits until no message, movement or saga is on its way. */
async function atRest(databases: Databases): Promise<void> {
  const isOpen = async (name: string, filter: object) => (await databases.collection(name).findOne(filter)) !== null;
  const looks = [
    ['order-service/events', { pending: true }],
    ['order-service/sagas', { status: 'running' }],
    ['inventory-service/stock', { 'movements.at': { $gt: new Date(0) } }],
    ['inventory-service/stock', { 'outbox.id': { $gt: '' } }],
  ] as const;
  for (const until = performance.now() + limitMs; ; await sleep(200)) {
    const open = await Promise.all(looks.map(([name, filter]) => isOpen(name, filter)));
    if (!open.includes(true)) return;
    if (performance.now() > until) throw new Error(`the shop does not come to rest within ${limitMs} ms`);
  }
}

/** @returns how many commits are left */
async function leaveUnpublished(
  { databases, templates, customers }: Branch,
  orders: number,
  random: () => number,
): Promise<number> {
  const books = await openBooks(databases);
  const confirmed = templates.orders.filter(({ kind }) => kind === 'confirmed');
  const now = Date.now();
  const claim: CommitDocument['claim'] = { by: 'an instance that was killed', until: new Date(now + headStartMs) };
  const batch = new Map<string, Row[]>();
  for (let done = 0; done < orders; done += 1) {
    const template = confirmed[done % confirmed.length] as Template;
    const buyer = customers[Math.floor(random() * customers.length)]!.id;
    for (const { name, row } of copyOf(template, { at: now - 60_000 + done, buyer, now })) {
      if (name === 'user-service/confirmed_orders') continue;
      books.enter(name, row);
      if (name === 'order-service/events') Object.assign(row, { pending: true, claim });
      if (name === 'order-service/orders') delete row.relayed;
      batch.set(name, [...(batch.get(name) ?? []), row]);
    }
  }
  await insertAll(databases, batch);
  await books.writeStock();
  return batch.get('order-service/events')?.length ?? 0;
}

/** How fast a count goes from one value to another, in a second, from its first step on. */
async function rateOf(look: () => Promise<number>, from: number, to: number): Promise<number> {
  const until = performance.now() + limitMs;
  for (let began: number | undefined; ; await sleep(10)) {
    const asked = performance.now();
    const count = await look();
    if (count !== from) began ??= asked;
    if (count === to && began !== undefined) return Math.abs(to - from) / ((performance.now() - began) / 1_000);
    if (performance.now() > until) throw new Error(`only ${count} instead of ${to} after ${limitMs} ms`);
  }
}
