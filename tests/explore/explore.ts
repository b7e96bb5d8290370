import { seeded } from '@tradepost/shared/testing/seeded';
import { createOrderViewModel } from '../../order-service/src/models/orderView.ts';
import { askUntilAnswered, orderOf, type Placed, place } from './client.ts';
import type { CallFault } from './network.ts';
import { check, isAtRest } from './promises.ts';
import { createWorld, settle, type World } from './world.ts';

export interface Schedule {
  seed: number;
  violations: string[];
  steps: number;
  orders: number;
  /** What went wrong, by name, in the order in which it did. */
  faults: string[];
  trace: string[];
}

/** What may go wrong in one schedule, drawn by its seed: most schedules have few faults, some have many. */
interface Budget {
  calls: number;
  kills: number;
  freezes: number;
  repeats: number;
  crashes: number;
}

const maxExploredSteps = 600;

/**
 * Runs one schedule: one or two buyers, perhaps a cancel, on the real services; a seeded draw decides at each point which
 * of the waiting calls, messages, timers and faults comes next. Then everything that is left happens in order, and every
 * promise is checked.
 */
export async function exploreSchedule(seed: number): Promise<Schedule> {
  const random = seeded(seed);
  const any = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const budget: Budget = { calls: upTo(2), kills: upTo(2), freezes: upTo(1), repeats: upTo(1), crashes: upTo(1) };
  const faults: string[] = [];
  const fault = (caller: string): CallFault => {
    if (caller === 'auditor' || budget.calls === 0 || random() > 0.15) return 'none';
    budget.calls -= 1;
    const kind = any<CallFault>(['request lost', 'answer lost', 'late', 'twice']);
    faults.push(`call: ${kind}`);
    return kind;
  };
  const stock = { p: 1 + upTo(2), q: 1 + upTo(2) };
  const world = await createWorld({ seed, random, fault, journal: random() < 0.3, stock });
  const placed = plan(random, any);
  const orders = placed.length;
  try {
    let open = orders;
    for (const one of placed) {
      void place(world, one).then(() => {
        open -= 1;
      });
    }
    if (random() < 0.6) void cancelLater(world, placed[0]!.user, random);
    await wander(world, random, any, budget, faults);
    await settle(world, async () => open === 0 && (await isAtRest(world)));
    // A client that has no answer asks again, as often as it takes.
    for (const one of placed) await askUntilAnswered(world, one);
    await settle(world, () => isAtRest(world));
    const violations = await check(world, placed, stock);
    return { seed, violations, steps: world.scheduler.trace.length, orders, faults, trace: world.scheduler.trace };
  } catch (error) {
    const violations = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    return { seed, violations, steps: world.scheduler.trace.length, orders, faults, trace: world.scheduler.trace };
  } finally {
    world.close();
  }
}

function plan(random: () => number, any: <T>(from: readonly T[]) => T): Placed[] {
  return Array.from({ length: random() < 0.5 ? 1 : 2 }, (_, n) => {
    const products = any([['p'], ['p', 'q'], ['q', 'p']]);
    const token = any(['tok_visa', 'tok_visa', 'tok_declined', 'tok_flaky', 'tok_timeout']);
    return { key: `key-${n}`, user: { id: `user-${n}` }, call: orderOf(products, token) };
  });
}

async function cancelLater(world: World, user: { id: string }, random: () => number): Promise<void> {
  const looks = 1 + Math.floor(random() * 12);
  for (let look = 0; look < looks; look += 1) await world.scheduler.wait('a client thinks', 'client');
  const orders = createOrderViewModel(world.look('order'));
  const order = await orders.findOne({ userId: user.id }).lean();
  if (order) await world.ask({ method: 'post', path: `/api/orders/${order._id}/cancel`, repeatable: true }, user);
}

/** The explored part: any waiting thing may come next, time may pass, and faults happen while there is budget for them. */
async function wander(
  world: World,
  random: () => number,
  any: <T>(from: readonly T[]) => T,
  budget: Budget,
  faults: string[],
): Promise<void> {
  const { scheduler, time, database, bus } = world;
  for (let step = 0; step < maxExploredSteps; step += 1) {
    await scheduler.quiet();
    if (random() < 0.02) await misfortune(world, random, any, budget, faults);
    const choices = scheduler.choices();
    if (choices.length === 0 || random() < 0.03) {
      if (await isAtRest(world)) return;
      await time.advance(random() < 0.5 ? 0 : random() * 3_000);
    } else await scheduler.take(any(choices));
    if (budget.repeats > 0 && bus.history.length > 0 && random() < 0.02) {
      budget.repeats -= 1;
      faults.push('message again');
      bus.repeat(Math.floor(random() * bus.history.length));
    }
    if (budget.crashes > 0 && random() < 0.01) {
      budget.crashes -= 1;
      faults.push('database killed');
      const victim = any([undefined, 'order', 'inventory', 'payment']);
      database.crash(victim);
      scheduler.trace.push(`${victim ?? 'every'} database: KILLED`);
    }
  }
}

/** Ends a process and starts another one, or lets one sleep while another one takes over. */
async function misfortune(
  world: World,
  random: () => number,
  any: <T>(from: readonly T[]) => T,
  budget: Budget,
  faults: string[],
): Promise<void> {
  const kind = any(['order', 'order', 'inventory', 'payment'] as const);
  const victim = any(world.instances(kind));
  if (world.scheduler.isFrozen(victim.name)) return;
  if (budget.kills > 0 && (budget.freezes === 0 || random() < 0.5)) {
    budget.kills -= 1;
    faults.push('process killed');
    world.kill(victim);
    await world.start(kind);
  } else if (budget.freezes > 0) {
    budget.freezes -= 1;
    faults.push('process frozen');
    // Leases lapse while it sleeps; another instance takes over, and then it wakes up.
    world.scheduler.freeze(victim.name, true);
    world.scheduler.trace.push(`${victim.name}: FROZEN`);
    await world.start(kind);
    globalThis.setTimeout(() => {
      world.scheduler.freeze(victim.name, false);
      world.scheduler.trace.push(`${victim.name}: wakes up`);
    }, 12_000);
  }
}
