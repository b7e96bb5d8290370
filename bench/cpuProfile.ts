import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `node --cpu-prof` writes: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  /** Id of the node that each sample found on top of the stack. */
  samples: number[];
  /** Microseconds between a sample and the one before it. */
  timeDeltas: number[];
}

export interface PlaceCost {
  /** A package, a part of Node, or a file of the project. */
  place: string;
  /** Part of the time in which the process was not idle, in [0, 1]. */
  share: number;
}

const root = `${import.meta.dirname}${sep}..`;

/** Adds up self time by place, the greatest first; `totalMs` is the time in which the process was not idle. */
export function costsByPlace({ nodes, samples, timeDeltas }: CpuProfile): { totalMs: number; costs: PlaceCost[] } {
  const placeOf = new Map(nodes.map(({ id, callFrame }) => [id, placeOfFrame(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const place = placeOf.get(id);
    if (place === undefined) continue;
    times.set(place, (times.get(place) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const costs = [...times].map(([place, time]) => ({ place, share: time / total })).sort((a, b) => b.share - a.share);
  return { totalMs: total / 1_000, costs };
}

/** Undefined for idle time. */
function placeOfFrame({ functionName, url }: { functionName: string; url: string }): string | undefined {
  // What stops and starts the profiler is no cost of the process.
  if (functionName === '(idle)' || url === 'node:inspector') return undefined;
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName || 'code'}`;
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const path = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : relative(root, url);
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return name ?? path;
}
