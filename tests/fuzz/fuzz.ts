import type { Shop } from '@tradepost/local/startShop';
import { serviceNames } from '@tradepost/shared/discovery';
import { send } from '../api/send.ts';
import { bodyKinds } from './bodyKinds.ts';
import { type Draw, drawOf } from './draw.ts';
import { rawKinds } from './rawKinds.ts';
import { type FuzzCase, written } from './request.ts';
import { requestKinds } from './requestKinds.ts';
import { createSender, type FuzzAnswer, type Sender } from './send.ts';
import { violationsOf } from './verdict.ts';
import { openWorld, type World } from './world.ts';

export interface Violation {
  index: number;
  kind: string;
  /** What is wrong, one thing each. */
  what: string[];
  one: FuzzCase;
  answer: FuzzAnswer;
}

export interface FuzzReport {
  /** Cases by what they try. */
  kinds: Map<string, number>;
  /** Answers by status; 0 where there was none, which is a violation. */
  statuses: Map<number, number>;
  /** Cases sent to a service itself. */
  direct: number;
  /** Cases whose 503 or 504 did not come again when they were sent alone. */
  repeated: number;
  violations: Violation[];
  /** What is wrong with the shop itself, after all of it. */
  faults: string[];
}

export interface FuzzOptions {
  seed: number;
  /** Numbers of the cases. */
  cases: Iterable<number>;
  /** What the shop has logged: warnings and worse. */
  log: readonly string[];
  /** Called after each case. */
  onCase?: (report: FuzzReport) => void;
}

const concurrency = 16;
const directShare = 0.25;
/** Less than access tokens live. */
const renewMs = 10 * 60_000;

/** Every kind, as often as its share says. */
const drawn: readonly string[] = [bodyKinds, requestKinds, rawKinds].flatMap(kinds =>
  Object.entries(kinds).flatMap(([kind, { share }]) => Array.from({ length: Math.round(share / 4) }, () => kind)),
);

/** The case of a number: drawn anew it is the same, but for ids that each shop makes for itself. */
export function caseOf(seed: number, index: number, world: World): { one: FuzzCase; direct: boolean } {
  const draw: Draw = drawOf(seed, index);
  const kind = draw.pick(drawn);
  const raw = rawKinds[kind];
  if (raw) {
    const one = { ...raw.make(draw, world), kind };
    return { one, direct: one.base !== world.addressOf('gateway') };
  }
  const { make } = bodyKinds[kind] ?? requestKinds[kind] ?? never(kind);
  const draft = make(draw, world);
  const direct = draft.target.service !== 'gateway' && draw.chance(directShare);
  return { one: written(kind, draft, world, direct), direct };
}

function never(kind: string): never {
  throw new Error(`nobody knows ${kind}`);
}

/** Sends the cases to a shop, a few at a time, and judges each answer. */
export async function fuzz(shop: Shop, options: FuzzOptions): Promise<FuzzReport> {
  let world = await openWorld(shop);
  let opened = performance.now();
  const uptimes = await uptimesOf(world);
  const sender = createSender(concurrency);
  const report: FuzzReport = {
    kinds: new Map(),
    statuses: new Map(),
    direct: 0,
    repeated: 0,
    violations: [],
    faults: [],
  };
  const waiting: { index: number; one: FuzzCase }[] = [];
  const numbers = options.cases[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = numbers.next(); !next.done; next = numbers.next()) {
      const index = next.value;
      if (performance.now() - opened > renewMs) {
        opened = performance.now();
        world = await openWorld(shop);
      }
      const { one, direct } = caseOf(options.seed, index, world);
      const answer = await sender.send(one);
      count(report.kinds, one.kind);
      count(report.statuses, answer.status);
      if (direct) report.direct += 1;
      const what = violationsOf(one, answer);
      if (answer.status === 503 || answer.status === 504) waiting.push({ index, one });
      else if (what.length > 0) report.violations.push({ index, kind: one.kind, what, one, answer });
      options.onCase?.(report);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
    // A machine that is busy may make a service late; what is its own fault comes again.
    for (const { index, one } of waiting) await sendAlone(sender, index, one, report);
    report.faults.push(
      ...(await faultsOf(world, uptimes)),
      ...options.log.filter(line => line.includes('internal_error')),
    );
  } finally {
    sender.close();
  }
  return report;
}

async function sendAlone(sender: Sender, index: number, one: FuzzCase, report: FuzzReport): Promise<void> {
  const answer = await sender.send(one);
  const what = violationsOf(one, answer);
  if (what.length === 0) report.repeated += 1;
  else report.violations.push({ index, kind: one.kind, what, one, answer });
}

const listeners = ['gateway', ...serviceNames];

/** Seconds for which each part has run; all are healthy, or it throws. */
const uptimesOf = (world: World): Promise<number[]> =>
  Promise.all(
    listeners.map(async name => {
      const { status, body } = await send(world.addressOf(name), 'GET', '/health');
      if (status !== 200) throw new Error(`${name} is ${JSON.stringify(body)}`);
      return body.uptimeSeconds as number;
    }),
  );

/** Parts that began anew, and what every object of the process has inherited. */
async function faultsOf(world: World, before: readonly number[]): Promise<string[]> {
  const restarted = (await uptimesOf(world)).flatMap((seconds, at) =>
    seconds < (before[at] ?? 0) ? [`${listeners[at]} began anew`] : [],
  );
  const inherited: string[] = [];
  for (const name in {}) inherited.push(`every object has ${name}`);
  return [...restarted, ...inherited];
}

const count = <Key>(counts: Map<Key, number>, key: Key): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
