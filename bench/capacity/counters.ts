import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Quantity, Usage } from '@tradepost/local/capacity/usage';
import { processNames } from '@tradepost/local/processes/settings';
import { serviceNames } from '@tradepost/shared/discovery';
import { cpuSeconds } from '../measure.ts';
import type { Doings } from './activities.ts';
import type { Observation } from './costs.ts';
import { type Counts, type Phase, runPhase } from './phases.ts';
import { databaseOf, type MeasuredShop } from './shop.ts';

/** Time in which no relay, consumer or drain of a ledger leaves a document as it is, and the longest wait for such a time. */
const [restMs, mostRestMs] = [700, 15_000];

/** Does a phase and tells what it used, with all that it set going. Reading the counters is not part of it. */
export async function observe(shop: MeasuredShop, phase: Phase, doings: Doings): Promise<Observation> {
  await flush(shop);
  const [before, missesBefore] = [await readCounts(shop), await cacheMisses(shop)];
  const trafficBefore = await readTraffic(shop);
  const [began, cpuBefore] = [performance.now(), readCpu(shop)];
  const counts = await runPhase(phase, doings);
  await rest(shop);
  await flush(shop);
  const [seconds, cpuAfter] = [(performance.now() - began) / 1_000, readCpu(shop)];
  const trafficAfter = await readTraffic(shop);
  const [after, missesAfter] = [await readCounts(shop), await cacheMisses(shop)];
  const usage = difference({ ...before, ...trafficBefore, ...cpuBefore }, { ...after, ...trafficAfter, ...cpuAfter });
  return { counts: withMisses(counts, missesAfter - missesBefore), seconds, usage };
}

/** Waits until what was set going has come to its end. */
async function rest({ databases }: MeasuredShop): Promise<void> {
  const written = async () =>
    (await Promise.all(serviceNames.map(name => databases[name].documents()))).reduce((sum, one) => sum + one, 0);
  let before = await written();
  for (const until = performance.now() + mostRestMs; performance.now() < until; ) {
    await sleep(restMs);
    const now = await written();
    // A lock that is renewed, a document whose time was over: databases are never quite at rest.
    if (now - before <= 1) return;
    before = now;
  }
}

/** What the gateway keeps is old after half a second, so that some of the reads that should find it there do not. */
function withMisses(counts: Counts, misses: number): Counts {
  const { list = 0, listFromCache = 0, detail = 0, detailFromCache = 0 } = counts;
  const unmeant = Math.max(0, misses - list - detail) / Math.max(1, listFromCache + detailFromCache);
  return {
    ...counts,
    list: list + unmeant * listFromCache,
    listFromCache: (1 - unmeant) * listFromCache,
    detail: detail + unmeant * detailFromCache,
    detailFromCache: (1 - unmeant) * detailFromCache,
  };
}

async function cacheMisses({ shop }: MeasuredShop): Promise<number> {
  const series = (await Promise.all(shop.instances('gateway').map(readSeries))).flat();
  const misses = series.filter(({ name, labels }) => name === 'gateway_cache_reads_total' && labels.result === 'miss');
  return misses.reduce((sum, { value }) => sum + value, 0);
}

function difference(before: Usage, after: Usage): Usage {
  const usage: Usage = {};
  for (const [quantity, parts] of Object.entries(after) as [Quantity, Record<string, number>][]) {
    usage[quantity] = Object.fromEntries(
      Object.entries(parts).map(([part, value]) => [part, value - (before[quantity]?.[part] ?? 0)]),
    );
  }
  return usage;
}

const flush = (shop: MeasuredShop) => Promise.all(serviceNames.map(name => shop.databases[name].flush()));

/** Processor time and bytes written to disks, of all processes. */
function readCpu({ shop, databases, brokerPid }: MeasuredShop): Usage {
  const pids = new Map<string, number[]>([['broker', [brokerPid]]]);
  for (const name of processNames)
    pids.set(
      name,
      shop.instances(name).flatMap(one => one.process.pid() ?? []),
    );
  for (const name of serviceNames) pids.set(`${name} database`, [databases[name].pid]);
  const each = (read: (pids: number[]) => number) =>
    Object.fromEntries([...pids].map(([part, those]) => [part, read(those)]));
  return {
    cpuMs: each(those => 1_000 * (cpuSeconds(those) ?? Number.NaN)),
    diskBytes: each(those => those.reduce((sum, pid) => sum + diskBytes(pid), 0)),
  };
}

/** Bytes that a process had written to disks so far (man 5 proc, write_bytes). */
function diskBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** What passed between services and their databases; what is read later or earlier would be part of it. */
async function readTraffic({ databases }: MeasuredShop): Promise<Usage> {
  const all = serviceNames.map(async name => [name, await databases[name].networkBytes()] as const);
  return { databaseBytes: Object.fromEntries(await Promise.all(all)) };
}

async function readCounts(measured: MeasuredShop): Promise<Usage> {
  const usage: Usage = {};
  const set = (quantity: Quantity, part: string, value: number) => {
    usage[quantity] = { ...usage[quantity], [part]: value };
  };
  for (const name of serviceNames) {
    const database = measured.databases[name];
    const [counters, collections] = await Promise.all([database.read(), database.collections(databaseOf(name))]);
    set('documents', name, counters.documents);
    set('journalBytes', name, counters.journalBytes);
    set('journalSyncs', name, counters.journalSyncs);
    set('oplogBytes', name, counters.oplogBytes);
    for (const { name: collection, bytes } of collections) set('storedBytes', `${name} ${collection}`, bytes);
  }
  for (const name of processNames) {
    const bytes = measured.doors[name].bytes();
    set('requestBytes', name, bytes.in);
    set('answerBytes', name, bytes.out);
    const series = (await Promise.all(measured.shop.instances(name).map(readSeries))).flat();
    const sum = (chosen: Series[]) => chosen.reduce((total, one) => total + one.value, 0);
    set('requests', name, sum(series.filter(isRequest)));
    set('published', name, sum(series.filter(one => one.name === 'outbox_published_total')));
    for (const one of series.filter(({ name }) => name === 'bus_deliveries_total')) {
      const queue = String(one.labels.queue);
      set('delivered', queue, (usage.delivered?.[queue] ?? 0) + one.value);
    }
  }
  const { in: into, out } = measured.brokerDoor.bytes();
  set('brokerBytes', 'broker', into + out);
  return usage;
}

interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Those of customers and of other services, not of whoever looks at health and metrics. */
const isRequest = ({ name, labels }: Series): boolean =>
  name === 'http_request_duration_seconds_count' && !/^\/(health|metrics)/.test(labels.route ?? '');

/** All series that an instance serves (the text format of Prometheus). */
async function readSeries({ port, metricsPort }: { port: number; metricsPort?: number }): Promise<Series[]> {
  const response = await fetch(`http://127.0.0.1:${metricsPort ?? port}/metrics`);
  return [...(await response.text()).matchAll(/^([a-z_]+)(?:{([^}]*)})? (\S+)$/gm)].map(([, name, labels, value]) => ({
    name: name as string,
    labels: Object.fromEntries([...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(match => [match[1], match[2]])),
    value: Number(value),
  }));
}
