import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { newId } from '../ids.ts';
import type { EventBus } from '../messaging/eventBus.ts';
import { createMessage, defineMessage, type Message, type MessageDefinition } from '../messaging/message.ts';
import type { DurableQueue } from '../messaging/routing.ts';

/** What the suite needs of an implementation: bus instances that share queues. */
export interface BusHarness {
  /** A further bus instance on the same queues. */
  create(options?: { queues?: DurableQueue[] }): Promise<EventBus>;
  /** Whether listeners hear what another instance published, or only what their own did. */
  listenersSpanInstances: boolean;
  close(): Promise<void>;
}

/** Makes a test out of one that wants bus instances; they are closed after it. */
export const busesOf =
  (harness: () => BusHarness) =>
  (count: number, body: (...buses: EventBus[]) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const buses = await Promise.all(numbers(count).map(() => harness().create()));
    try {
      await body(...buses);
    } finally {
      await Promise.all(buses.map(bus => bus.close()));
    }
  };

export type Thing = MessageDefinition<{ n: number }>;

/** A kind of message that no other test uses. */
export function newKind(word = 'made'): Thing {
  const type = `t${randomBytes(6).toString('hex')}.${word}`;
  return defineMessage({ exchange: 'orders', type, version: 1, summary: 'for tests', data: { n: z.int() } });
}

/** The kind of message that processes exchange which are killed. */
export const crashKind: Thing = { ...newKind(), type: 'crash.tested' };

/** A service name that no other test uses, so that its queues are its own. */
export const newService = (): string => `s${randomBytes(6).toString('hex')}`;

export function thing(kind: Thing, n: number, changes: Partial<Message> = {}): Message<{ n: number }> {
  const input = { id: newId(), source: 'test-service', subject: String(n), at: new Date(), data: { n } };
  return { ...createMessage(kind, input), ...changes } as Message<{ n: number }>;
}

/** Publishes things 0 … count - 1 at once. */
export async function publishThings(bus: EventBus, kind: Thing, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => bus.publish(kind.exchange, thing(kind, n))));
}

/** Waits until `check` holds, failing after 20 s with what `describe` says. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  describe: () => unknown = () => '',
): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`did not happen within 20 s: ${JSON.stringify(describe())}`);
    await sleep(5);
  }
}

/** Something to wait for and to open, as a handler that must not end yet. */
export function gate(): { opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

export const sorted = (values: number[]): number[] => values.toSorted((a, b) => a - b);
