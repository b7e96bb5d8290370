import { rmSync } from 'node:fs';
import { starved } from '@tradepost/local/infrastructure';
import { seeded } from '@tradepost/shared/testing/seeded';
import { type Books, openBooks } from './books.ts';
import type { Delay } from './failpoints.ts';
import { buy, openProduct, type Purchase, pause, plan, populate, type World } from './load.ts';
import { KilledWhileStartingError, leaseMs, type ShopProcess, scratchFolder, startShopProcess } from './shopProcess.ts';
import type { Trial } from './trials.ts';
import { insist, settleMs, timeLimit, verify } from './verify.ts';

export interface TrialResult {
  /** Whether the point was reached. */
  reached: boolean;
  kills: number;
  freezes: number;
  orders: number;
  /** Milliseconds of load until the fault. */
  loadMs: number;
  /** Milliseconds from the end of the last fault until every promise held. */
  recoveryMs: number;
  violations: string[];
}

/** A shop that goes through trials, one after the other, on one data folder: what one left behind is there in the next. */
export interface Lane {
  run(trial: Trial, name: string): Promise<TrialResult>;
  /** Waits until every message was handled, and ends the shop. @returns what is wrong with them */
  finish(): Promise<string[]>;
  /** Ends the shop at once and removes its folder, unless something was wrong. */
  close(): Promise<void>;
}

/** How long a point may take to be reached, in milliseconds. */
const loadLimitMs = 20_000;
const roundMs = 400;
/** Characters of the log that say what went wrong. */
const logEnd = 3_000;
/** Rounds of purchases that go on at the same time. */
const roundsAtOnce = 2;
/** Longer than every lease and hold. */
const freezeMs = 2 * leaseMs;
/** Access tokens live for 15 minutes. */
const tokensForMs = 8 * 60_000;
/** Where waiting now and then brings about what is rare: holds that expire, calls that overlap. */
const delays: readonly Delay[] = [
  { point: 'order.saga.beforePin', ms: 2 * leaseMs, oneIn: 10 },
  { point: 'order.saga.afterReserve', ms: 300, oneIn: 6 },
  { point: 'payment.charge.beforeProvider', ms: 200, oneIn: 4 },
];

/** Whether a shop gave up its start because the machine is too busy: whoever keeps the shop running starts it again. */
const isStarved = (error: Error): boolean => error.message.includes(starved);

export async function openLane(): Promise<Lane> {
  const folder = scratchFolder();
  let { shop, books } = await start();
  let world = await populate(shop).catch(async error => {
    await shop.kill();
    throw error;
  });
  let isSound = true;

  async function start(tries = 3): Promise<{ shop: ShopProcess; books: Books }> {
    const started = await startShopProcess(folder).catch((error: Error) => {
      if (tries === 1 || !isStarved(error)) throw error;
    });
    if (!started) return start(tries - 1);
    return { shop: started, books: await openBooks(started.mongodbUri) };
  }
  async function restart(): Promise<void> {
    await books.close();
    ({ shop, books } = await start());
  }
  /** Kills the shop while it recovers from the first kill. */
  async function killAgain({ point, hit, withinMs }: NonNullable<Trial['again']>, purchases: Purchase[], seed: number) {
    try {
      shop = await startShopProcess(folder, { orders: { arm: { point, hit, fault: 'kill' }, delays }, seed });
    } catch (error) {
      if (error instanceof KilledWhileStartingError || isStarved(error as Error)) return;
      throw error;
    }
    const repeating = insist(shop, world, purchases, timeLimit(shop, settleMs));
    await Promise.race([shop.gone, pause(withinMs)]);
    await shop.kill();
    await repeating;
  }
  /** Adds where to look further. */
  function blame(violations: string[]): void {
    isSound = false;
    violations.push(`the data is kept in ${folder}`, `the log ends with\n${shop.log().slice(-logEnd)}`);
  }

  return {
    async run(trial, name) {
      const random = seeded(trial.seed);
      if (Date.now() - world.since > tokensForMs) world = await populate(shop);
      const { point, hit, fault, again } = trial;
      shop.order({ arm: { point, hit, fault }, delays });
      const began = Date.now();
      const faulted = fault === 'kill' ? shop.gone : shop.frozen();
      const { purchases, work, reached } = await loadUntil(faulted, shop, world, random, name);
      const loadMs = Date.now() - began;
      if (!reached) shop.order({});
      else if (fault === 'freeze') {
        await pause(freezeMs);
        shop.process.kill('SIGCONT');
        shop.order({});
      }
      await work;
      if (reached && again) await killAgain(again, purchases, trial.seed);
      if (shop.isGone()) await restart();
      const healed = Date.now();
      const violations = await verify(shop, world, purchases, books);
      if (violations.length > 0) blame(violations);
      return {
        ...{ reached, violations, orders: purchases.length, loadMs, recoveryMs: Date.now() - healed },
        kills: reached && fault === 'kill' ? (again ? 2 : 1) : 0,
        freezes: reached && fault === 'freeze' ? 1 : 0,
      };
    },
    async finish() {
      const isOver = timeLimit(shop, settleMs);
      let undelivered = await books.undelivered();
      while (undelivered.length > 0 && !isOver()) {
        await pause(100);
        undelivered = await books.undelivered();
      }
      if (undelivered.length > 0) blame(undelivered);
      return undelivered;
    },
    async close() {
      await books.close();
      await shop.kill();
      if (isSound) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Begins rounds of purchases until the fault has come or takes too long. */
async function loadUntil(
  fault: Promise<void>,
  shop: ShopProcess,
  world: World,
  random: () => number,
  name: string,
): Promise<{ purchases: Purchase[]; work: Promise<unknown>; reached: boolean }> {
  let reached = false;
  const faulted = fault.then(() => {
    reached = true;
  });
  const purchases: Purchase[] = [];
  const rounds: Promise<unknown>[] = [];
  const isOver = timeLimit(shop, loadLimitMs);
  while (!reached && !isOver()) {
    const round = plan(world, random, `${name}-${rounds.length}`);
    purchases.push(...round);
    const product = openProduct(shop, world.adminToken, `${world.products[0]}-${name}-${rounds.length}`, 10);
    rounds.push(Promise.all([product, ...round.map(purchase => buy(shop, world, purchase))]));
    const room = rounds.length < roundsAtOnce ? undefined : rounds[rounds.length - roundsAtOnce];
    await Promise.race([faulted, Promise.all([pause(roundMs), room])]);
  }
  return { purchases, work: Promise.all(rounds), reached };
}
