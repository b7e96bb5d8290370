import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { askUntilAnswered, orderOf, type Placed, place } from './client.ts';
import type { CallFault } from './network.ts';
import { check, isAtRest } from './promises.ts';
import type { Held } from './scheduler.ts';
import { restoreTime } from './time.ts';
import { createWorld, type ServiceKind, settle, unitPrice, type World } from './world.ts';

/** The saga's calls by their short names. */
const calls = {
  reserve: 'inventory-service /internal/reservations',
  pin: 'inventory-service /internal/reservations/…/pin',
  commit: 'inventory-service /internal/reservations/…/commit',
  release: 'inventory-service /internal/reservations/…/release',
  charge: 'payment-service /internal/charges',
  cancel: 'payment-service /internal/charges/…/cancel',
  refund: 'payment-service /internal/refunds',
} as const;
type CallName = keyof typeof calls;

/** What an order, its stock and its money look like. */
interface State {
  order: string | undefined;
  /** Pieces of product `p`. */
  onHand: number;
  held: number;
  /** Minor units that the provider has captured and given back. */
  captured: number;
  refunded: number;
}

/** A world whose every turn is told; what is not told happens in order. */
export interface Shop {
  world: World;
  /** A client orders one piece of each product and waits. */
  buy(options?: { products?: string[]; client?: string }): Placed;
  /** The client of an order cancels it, and waits. */
  cancel(one: Placed): Promise<void>;
  /** An admin gives money back, and waits. */
  refund(one: Placed, amount: number): Promise<void>;
  /**
   * Keeps the next thing with this label from happening: `→ charge` (the call arrives), `← charge` (its answer does),
   * `insert events`, `journal insert events`, `hears order.cancelled` …
   * @param label the beginning of it, '' for anything
   * @param by the instance that it belongs to; any if it is left out
   */
  hold(label: string, by?: string): Held;
  /** The next such call is given up by its caller, and arrives when it is let go. */
  late(call: CallName): Held;
  /** The next such call arrives once more when it is let go. */
  twice(call: CallName): Held;
  /** The next such call is carried out, and its answer is lost. */
  loseAnswer(call: CallName): void;
  /** Goes on until this waits, or is so. */
  until(what: Held | (() => unknown)): Promise<void>;
  /** Goes on for this long. */
  pass(ms: number): Promise<void>;
  /** Ends a process; another one of its kind starts. */
  kill(name: string): Promise<void>;
  /** Stops a process where it is, and starts it again. */
  freeze(name: string, frozen: boolean): void;
  /** Goes on until nothing is left to do. */
  rest(): Promise<void>;
  /** What has become of an order. */
  state(one: Placed): Promise<State>;
  /** Clients ask until they are answered, all comes to rest, and every promise is kept. */
  assertKept(state: Partial<State>, ...placed: Placed[]): Promise<void>;
}

/** Opens a shop with pieces of product `p` (and others), on simulated time until the test is over. */
export async function openShop(
  t: TestContext,
  options: { stock?: Record<string, number>; journal?: boolean } = {},
): Promise<Shop> {
  const stock = options.stock ?? { p: 2 };
  const spoiled: { label: string; fault: CallFault }[] = [];
  const fault = (_caller: string, label: string): CallFault => {
    const index = spoiled.findIndex(one => one.label === label);
    return index < 0 ? 'none' : spoiled.splice(index, 1)[0]!.fault;
  };
  const world = await createWorld({ seed: 1, random: () => 0.5, fault, journal: options.journal ?? false, stock });
  const { scheduler, time } = world;
  t.after(() => {
    world.close();
    restoreTime();
  });
  let open = 0;
  const waitFor = (work: Promise<unknown>): void => {
    open += 1;
    void work.finally(() => {
      open -= 1;
    });
  };
  const hold = (label: string, by?: string): Held => {
    const full = label.replace(/^(→|←|late) (\w+)$/, (_, way, call) => `${way} ${calls[call as CallName]}`);
    return scheduler.hold(
      ({ label: own, owner }) => (by === undefined || owner === by) && `${own} `.startsWith(full && `${full} `),
    );
  };
  const spoil = (call: CallName, how: CallFault): void => {
    spoiled.push({ label: calls[call], fault: how });
  };
  const rows = (kind: ServiceKind, name: string) => world.look(kind).db!.collection(name);
  const orderOfClient = (one: Placed) => rows('order', 'sagas').findOne({ userId: one.user.id });
  const pathOf = async (one: Placed, action: string) => `/api/orders/${(await orderOfClient(one))!._id}/${action}`;
  const find = (name: string) => {
    const found = (['order', 'inventory', 'payment'] as const).flatMap(kind => world.instances(kind));
    return found.find(one => one.name === name) ?? assert.fail(`no ${name}`);
  };
  const shop: Shop = {
    world,
    buy({ products = ['p'], client = 'ada' } = {}) {
      const one: Placed = { key: `key-${client}`, user: { id: client }, call: orderOf(products, 'tok_visa') };
      waitFor(place(world, one));
      return one;
    },
    async cancel(one) {
      waitFor(world.ask({ method: 'post', path: await pathOf(one, 'cancel'), repeatable: true }, one.user));
    },
    async refund(one, amount) {
      const body = { amount, reason: 'a scratch' };
      const call = { method: 'post', path: await pathOf(one, 'refund'), body, repeatable: true } as const;
      waitFor(world.ask(call, { id: 'admin', role: 'admin' }));
    },
    hold,
    late(call) {
      spoil(call, 'late');
      return hold(`late ${call}`);
    },
    twice(call) {
      spoil(call, 'twice');
      return hold(`late ${call}`);
    },
    loseAnswer: call => spoil(call, 'answer lost'),
    async until(what) {
      const isSo = typeof what === 'function' ? what : () => what.choice();
      for (let step = 0; step < 2_000; step += 1) {
        await scheduler.quiet();
        if (await isSo()) return;
        const [first] = scheduler.choices();
        if (first) await scheduler.take(first);
        else await time.advance();
      }
      assert.fail(`it never came to that: ${isSo}\n${scheduler.trace.join('\n')}`);
    },
    pass(ms) {
      const end = time.now() + ms;
      return shop.until(() => time.now() >= end);
    },
    async kill(name) {
      const { kind } = find(name);
      world.kill(find(name));
      await world.start(kind);
    },
    freeze(name, frozen) {
      scheduler.trace.push(`${name}: ${frozen ? 'FROZEN' : 'wakes up'}`);
      scheduler.freeze(find(name).name, frozen);
    },
    rest: () => settle(world, async () => open === 0 && (await isAtRest(world)), 4_000),
    async state(one) {
      const orderId = (await orderOfClient(one))?._id as unknown;
      const view = await rows('order', 'orders').findOne({ _id: orderId } as never);
      const p = await rows('inventory', 'stock').findOne({ _id: 'p' } as never);
      const charge = await rows('payment', 'provider_charges').findOne({ _id: orderId } as never);
      const refunds: { amount: number }[] = charge?.refunds ?? [];
      return {
        order: view?.status,
        onHand: p?.onHand,
        held: p?.reserved,
        captured: charge?.state === 'captured' ? charge.amount / unitPrice : 0,
        refunded: refunds.reduce((sum, refund) => sum + refund.amount, 0) / unitPrice,
      };
    },
    async assertKept(expected, ...placed) {
      const told = (): string => scheduler.trace.join('\n');
      await shop.rest();
      for (const one of placed) await askUntilAnswered(world, one);
      await shop.rest();
      assert.deepEqual(await check(world, placed, stock), [], told());
      const state = await shop.state(placed[0]!);
      assert.deepEqual({ ...state, ...expected }, state, told());
    },
  };
  return shop;
}
