import type { Quantity, Usage } from '@tradepost/local/capacity/usage';
import { processNames } from '@tradepost/local/processes/settings';
import { serviceNames } from '@tradepost/shared/discovery';
import { countWaiting } from '../../tests/real/realShop.ts';
import { residentMiB } from '../measure.ts';
import { createDoings, type Doings } from './activities.ts';
import { type Comparison, compareUsage } from './check.ts';
import { type Costs, costsOf, middleCosts, middleUsage, type Observation, predict } from './costs.ts';
import { observe } from './counters.ts';
import type { Collection } from './database.ts';
import { openMarket } from './market.ts';
import { calibration, mixture, type Phase, runPhase } from './phases.ts';
import { databaseOf, type MeasuredShop, startMeasuredShop } from './shop.ts';

export interface CapacityOptions {
  /** Length of a phase with orders, in seconds. */
  seconds: number;
  /** Each has all phases, so that a busy minute of the machine strikes all alike. */
  rounds: number;
  /** Whether fewer rounds do, asked after each with the comparison of those so far. */
  isEnough?(check: readonly Comparison[]): boolean;
  say(line: string): void;
}

export interface CapacityRun {
  costs: Costs;
  /** A mixture that the costs were not told from: what they say of it, and what it used. */
  check: Comparison[];
  /** The last mixture. */
  mixture: Observation;
  /** Part of the time for which a process was ready to run and had no processor. */
  waitedPart: number;
  memoryMiB: Record<string, number>;
  diskPerByte: Record<string, number>;
  keptSeconds: Record<string, number>;
  versions: { mongodb: string; rabbitmq: string };
  products: number;
}

/** Measures what everything costs that customers do, by the middle of all rounds, and looks how well this explains a mixture. */
export async function measureCapacity({
  seconds,
  rounds,
  say,
  isEnough = () => false,
}: CapacityOptions): Promise<CapacityRun> {
  say('starting RabbitMQ, five MongoDBs and six processes');
  const shop = await startMeasuredShop();
  try {
    say('filling the catalogue');
    const market = await openMarket(shop);
    const doings = createDoings(market);
    say('warming up');
    await runPhase({ ...mixture(2 * seconds), name: 'warm-up' }, doings).catch(error => say(error.message));
    const before = await readCollections(shop);
    const [began, waited] = [performance.now(), countWaiting(shop.shop)];
    const all: { costs: Costs; predicted: Usage; mixture: Observation }[] = [];
    const compare = () =>
      compareUsage(middleUsage(all.map(one => one.predicted)), middleUsage(all.map(one => one.mixture.usage)));
    for (let round = 1; round <= rounds; round += 1) {
      const observed = async (phase: Phase): Promise<Observation> => {
        const one = await observeAgain(shop, phase, doings, say);
        say(`round ${round} of ${rounds}: ${phase.name}: ${lineOf(one)}`);
        return one;
      };
      const observations: Observation[] = [];
      for (const phase of calibration(seconds)) observations.push(await observed(phase));
      const mixed = await observed(mixture(seconds));
      const costs = costsOf(observations);
      all.push({ costs, predicted: predict(costs, mixed), mixture: mixed });
      if (isEnough(compare())) break;
    }
    const waitedPart = waited() / (performance.now() - began);
    await Promise.all(serviceNames.map(name => shop.databases[name].flush()));
    const after = await readCollections(shop);
    market.client.close();
    return {
      costs: middleCosts(all.map(({ costs }) => costs)),
      ...{ check: compare(), mixture: (all.at(-1) as (typeof all)[number]).mixture, waitedPart },
      memoryMiB: readMemory(shop),
      diskPerByte: diskPerByte(before, after),
      keptSeconds: keptSeconds(after),
      versions: { mongodb: shop.databases['order-service'].version, rabbitmq: shop.brokerVersion },
      products: market.products.length,
    };
  } finally {
    await shop.stop();
  }
}

const tries = 3;

/** Does a phase until it comes out: somebody else's busy minute is not what it costs. */
async function observeAgain(...[shop, phase, doings, say]: [MeasuredShop, Phase, Doings, (line: string) => void]) {
  for (let left = tries - 1; left > 0; left -= 1) {
    try {
      return await observe(shop, phase, doings);
    } catch (error) {
      say(`${(error as Error).message}; once more`);
    }
  }
  return observe(shop, phase, doings);
}

function lineOf({ counts, seconds, usage }: Observation): string {
  const sum = (quantity: Quantity) => Object.values(usage[quantity] ?? {}).reduce((total, one) => total + one, 0);
  const done = Object.entries(counts).filter(([, count]) => count > 0);
  const what = done.map(([name, count]) => `${Math.round(count)} × ${name}`).join(', ') || 'nothing';
  return `${what} in ${seconds.toFixed(1)} s, ${(sum('cpuMs') / 1_000).toFixed(2)} s of processors`;
}

type Collections = Record<string, Collection[]>;

async function readCollections({ databases }: MeasuredShop): Promise<Collections> {
  const all = serviceNames.map(async name => [name, await databases[name].collections(databaseOf(name))] as const);
  return Object.fromEntries(await Promise.all(all));
}

/** Growth below this is the size of empty files rather than of what is in them. */
const smallGrowth = 200_000;

/** Bytes on disk for each byte of documents that came; where few came, as in all databases together. */
function diskPerByte(before: Collections, after: Collections): Record<string, number> {
  const growth = serviceNames.map(name => {
    const grown = (key: 'bytes' | 'diskBytes') =>
      [[after, 1] as const, [before, -1] as const].reduce(
        (sum, [from, sign]) => sum + sign * (from[name] ?? []).reduce((total, one) => total + one[key], 0),
        0,
      );
    return { name, bytes: grown('bytes'), diskBytes: grown('diskBytes') };
  });
  const large = growth.filter(({ bytes }) => bytes > smallGrowth);
  const usual = large.reduce((sum, one) => sum + one.diskBytes, 0) / large.reduce((sum, one) => sum + one.bytes, 0);
  return Object.fromEntries(growth.map(one => [one.name, large.includes(one) ? one.diskBytes / one.bytes : usual]));
}

function keptSeconds(collections: Collections): Record<string, number> {
  const all = Object.entries(collections).flatMap(([service, those]) => those.map(one => ({ service, ...one })));
  return Object.fromEntries(
    all.flatMap(one => (one.keptSeconds === undefined ? [] : [[`${one.service} ${one.name}`, one.keptSeconds]])),
  );
}

function readMemory({ shop, databases, brokerPid }: MeasuredShop): Record<string, number> {
  const processes = processNames.map(name => [name, shop.instances(name)[0]?.process.pid() ?? 0] as const);
  const servers = serviceNames.map(name => [`${name} database`, databases[name].pid] as const);
  const all = [...processes, ...servers, ['broker', brokerPid] as const];
  return Object.fromEntries(all.map(([part, pid]) => [part, residentMiB(pid) ?? 0]));
}
