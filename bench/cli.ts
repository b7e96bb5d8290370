/**
 * Measures the shop on this machine and writes what it found to bench/report.
 *
 *   npm run bench -- [NAME...] [--rounds N] [--seconds N] [--rows N] [--clients N] [--seed N] [--orders N,...] [--cpus N]
 *   npm run bench -- capacity --check [--rounds N] [--seconds N]
 *
 * Without a name everything is measured. With MONGOD_BIN and RABBITMQ_SERVER_BIN also on real servers, started here on free
 * ports, and with a Docker engine the shop in containers. Rows are those of the catalogue, orders the numbers of stored ones at
 * which the shop is measured as it grows, clients and seed those of both; cpus is the part of a processor that an instance has
 * when it is scaled out. With REPLAY_CATALOGUE and REPLAY_ORDERS, files as `npm run replay` takes them, the invoices of those
 * are played too, or the first REPLAY_LIMIT of them. What peers needs is told in README.md. With --check what an order costs is
 * measured and not written: it fails when the costs do not explain what a mixture of everything uses.
 */
import { parseArgs } from 'node:util';
import { whyNoEngine } from '../tests/compose/engine.ts';
import { benchCapacity, checkCapacity } from './capacity/bench.ts';
import { benchCatalogue } from './catalogue.ts';
import { benchCheckout } from './checkout.ts';
import { benchGateway } from './gateway.ts';
import { benchGrowth } from './growth/growth.ts';
import { benchPeers } from './peers/peers.ts';
import { benchProfile } from './profile.ts';
import { type Report, write } from './report.ts';
import { benchScaleout } from './scaleout.ts';
import { hasServers } from './shop.ts';
import { benchSignIn } from './signIn.ts';
import { benchStartup } from './startup.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string' },
    rows: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    check: { type: 'boolean', default: false },
    cpus: { type: 'string', default: '0.1' },
    orders: { type: 'string', default: '10000,100000,1000000' },
  },
});

/** @returns numbers in a row that grows; ends the process when they are none */
function sizes(text: string): number[] {
  const numbers = text.split(',').map(Number);
  const grows = numbers.every((one, nth) => Number.isInteger(one) && one > (numbers[nth - 1] ?? 0));
  if (grows) return numbers;
  say(`--orders ${text}: say whole numbers above 0, each larger than the one before, as 1000,10000`);
  process.exit(1);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const rounds = Number(values.rounds);
const secondsOr = (usual: number): number => Number(values.seconds ?? usual);

const benchmarks: Record<string, { needsServers?: boolean; needsEngine?: boolean; run(): Promise<Report> }> = {
  startup: { run: () => benchStartup({ rounds, say }) },
  gateway: { needsServers: true, run: () => benchGateway({ connections: 32, seconds: secondsOr(5), rounds, say }) },
  checkout: { run: () => benchCheckout({ buyers: [1, 8, 32, 128], seconds: secondsOr(5), rounds, say }) },
  profile: { needsServers: true, run: () => benchProfile({ seconds: secondsOr(10), say }) },
  peers: { needsServers: true, run: () => benchPeers({ buyers: [8, 32], seconds: secondsOr(8), rounds, say }) },
  capacity: { needsServers: true, run: () => benchCapacity({ seconds: secondsOr(8), rounds, say }) },
  'sign-in': { run: () => benchSignIn({ samples: 200, perSecond: 200, seconds: secondsOr(10), say }) },
  growth: {
    needsServers: true,
    run: () =>
      benchGrowth({
        ...{ orders: sizes(values.orders), clients: Number(values.clients), seed: Number(values.seed) },
        ...{ seconds: secondsOr(5), rounds, say },
      }),
  },
  catalogue: {
    run: () =>
      benchCatalogue({
        ...{ rows: Number(values.rows), clients: Number(values.clients), seed: Number(values.seed) },
        ...{ seconds: secondsOr(10), say },
      }),
  },
  scaleout: {
    needsEngine: true,
    run: () =>
      benchScaleout({
        ...{ sizes: [1, 2, 3], cpus: Number(values.cpus), buyers: 8, seconds: secondsOr(20), rounds, say },
      }),
  },
};

const unknown = positionals.filter(name => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  say(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
if (values.check) {
  if (positionals.join() !== 'capacity' || !hasServers()) {
    say('--check is for capacity alone, and takes the servers that MONGOD_BIN and RABBITMQ_SERVER_BIN name');
    process.exit(1);
  }
  const isGood = await checkCapacity({ seconds: secondsOr(4), rounds, say });
  process.exit(isGood ? 0 : 1);
}
for (const [name, { needsServers, needsEngine, run }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  if (needsServers && !hasServers()) {
    say(`${name} is left out: MONGOD_BIN and RABBITMQ_SERVER_BIN are not set`);
    continue;
  }
  const why = needsEngine ? await whyNoEngine() : undefined;
  if (why !== undefined) {
    say(`${name} is left out: no Docker engine answers (${why})`);
    continue;
  }
  process.stdout.write(`${write(name, await run())}\n`);
}
