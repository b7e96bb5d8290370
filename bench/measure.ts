import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

/** One round of load. */
export interface Sample {
  requestsPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** Processor seconds that the measured processes took for 1,000 requests; undefined where the system does not tell. */
  cpuSecondsPer1000?: number | undefined;
  /** Answers other than 2xx, and connections that failed. */
  errors: number;
}

/** What is compared: an address, and the processes whose time counts as its cost. */
export interface Contender {
  name: string;
  url: string;
  headers?: Record<string, string>;
  /** What is asked for in turn, in place of the address alone; each connection has a share of them. */
  requests?: readonly autocannon.Request[];
  pids: readonly number[];
}

export interface LoadOptions {
  connections: number;
  /** Length of each round, in seconds. */
  seconds: number;
  rounds: number;
  /** Rounds are run in turn, so that a busy minute of the machine strikes all contenders alike. */
  say(line: string): void;
}

/** Middle of the values; of an even number the mean of the two in the middle. NaN without any. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The medians of all rounds; errors are added up. */
export function middle(samples: readonly Sample[]): Sample {
  const of = (key: 'requestsPerSecond' | 'p50' | 'p99') => median(samples.map(sample => sample[key]));
  const costs = samples.flatMap(sample => sample.cpuSecondsPer1000 ?? []);
  return {
    requestsPerSecond: of('requestsPerSecond'),
    p50: of('p50'),
    p99: of('p99'),
    cpuSecondsPer1000: costs.length > 0 ? median(costs) : undefined,
    errors: samples.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** Loads all contenders in turn, one warm-up round and then `rounds`, and returns the medians in the same order. */
export async function compare(contenders: readonly Contender[], options: LoadOptions): Promise<Sample[]> {
  const samples = contenders.map((): Sample[] => []);
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const sample = await loadOnce(contender, options);
      const { requestsPerSecond, p50, p99, errors } = sample;
      const figures = `${requestsPerSecond.toFixed(0)}/s, p50 ${p50} ms, p99 ${p99} ms`;
      const name = round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`;
      options.say(`${name}: ${contender.name} ${figures}${errors > 0 ? `, ${errors} errors` : ''}`);
      if (round > 0) samples[index]!.push(sample);
    }
  }
  return samples.map(middle);
}

async function loadOnce(contender: Contender, { connections, seconds }: LoadOptions): Promise<Sample> {
  const { url, headers, requests, pids } = contender;
  const before = cpuSeconds(pids);
  const asked = { ...(headers && { headers }), ...(requests && { setupClient: handOut(requests, connections) }) };
  const result = await autocannon({ url, connections, duration: seconds, ...asked });
  const after = cpuSeconds(pids);
  const total = result.requests.total;
  return {
    requestsPerSecond: total / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    cpuSecondsPer1000: before === undefined || after === undefined ? undefined : (1_000 * (after - before)) / total,
    errors: result.errors + result.non2xx,
  };
}

/** Gives each connection its share of the requests, beginning anywhere. */
function handOut(requests: readonly autocannon.Request[], connections: number): (client: autocannon.Client) => void {
  const share = Math.ceil(requests.length / connections);
  let first = Math.floor(Math.random() * requests.length);
  return client => {
    client.setRequests(Array.from({ length: share }, (_, nth) => requests[(first + nth) % requests.length]!));
    first += share;
  };
}

/** The unit of /proc/PID/stat on Linux (man 5 proc, USER_HZ), 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** Processor seconds that processes have taken so far; undefined where /proc does not tell. */
export function cpuSeconds(pids: readonly number[]): number | undefined {
  try {
    const ticks = pids.map(pid => {
      // The name, in brackets, may hold spaces.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      return Number(fields[11]) + Number(fields[12]);
    });
    return ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond;
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in mebibytes; undefined where /proc does not tell. */
export const residentMiB = (pid: number): number | undefined => memoryMiB(`/proc/${pid}/status`, 'VmRSS');

/**
 * Memory of a process in mebibytes, in which a page that n processes share counts one n-th for each (man 5 proc, Pss); of
 * processes that run the same program the sum is what they really take. Undefined where /proc does not tell.
 */
export const proportionalMiB = (pid: number): number | undefined => memoryMiB(`/proc/${pid}/smaps_rollup`, 'Pss');

function memoryMiB(path: string, field: string): number | undefined {
  try {
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(path, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
