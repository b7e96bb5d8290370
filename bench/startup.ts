import { setTimeout as sleep } from 'node:timers/promises';
import { processNames } from '@tradepost/local/processes/settings';
import { median, proportionalMiB, residentMiB } from './measure.ts';
import { bars, type Report, table } from './report.ts';
import { hasServers, startBenchShop, startEmbeddedShop } from './shop.ts';

export interface StartupOptions {
  rounds: number;
  say(line: string): void;
}

/** After which a process that nobody asks has settled. */
const idleMs = 10_000;

/** Time until the shop answers, and the memory that it takes when nobody asks it anything. */
export async function benchStartup({ rounds, say }: StartupOptions): Promise<Report> {
  const [ready, memory]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    const shop = await startEmbeddedShop({ say });
    try {
      await sleep(idleMs);
      ready.push(shop.readyMs);
      memory.push(residentMiB(shop.pidOf('gateway')) ?? Number.NaN);
      say(
        `npm start, round ${round} of ${rounds}: ready in ${shop.readyMs.toFixed(0)} ms, ${memory.at(-1)?.toFixed(0)} MiB`,
      );
    } finally {
      await shop.stop();
    }
  }
  const processes = hasServers() ? await idleProcesses(say) : [];
  const rows = [
    ['npm start', median(ready).toFixed(0), median(memory).toFixed(0), ''],
    ...processes.map(({ name, resident, value }) => [name, '', resident.toFixed(0), value.toFixed(0)]),
  ];
  return {
    title: 'Start and footprint',
    text: `Time from the start of the process, with an empty data folder, to the first good answer of \`/health/ready\` with the demo catalogue; memory
${idleMs / 1_000} s later, nobody asking anything. Medians of ${rounds} starts; the processes of their own on MongoDB and RabbitMQ were started once.
Resident memory counts the code of Node itself in each of them; the last column counts what several share in parts, so that its sum
is what they really take.

${table(['process', 'ready, ms', 'resident, MiB', 'its share, MiB'], rows)}

![Memory](startup.svg)
`,
    plots: {
      'startup.svg': await bars({
        title: 'Memory when idle',
        unit: 'MiB',
        values: [{ name: 'npm start', value: median(memory) }, ...processes],
      }),
    },
    ratios: {},
  };
}

/** Resident memory of each process, and as `value` its share of it. */
async function idleProcesses(
  say: (line: string) => void,
): Promise<{ name: string; resident: number; value: number }[]> {
  const shop = await startBenchShop({ say });
  try {
    await sleep(idleMs);
    return processNames.map(name => ({
      ...{ name, resident: residentMiB(shop.pidOf(name)) ?? Number.NaN },
      value: proportionalMiB(shop.pidOf(name)) ?? Number.NaN,
    }));
  } finally {
    await shop.stop();
  }
}
