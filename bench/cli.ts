/**
 * Measures the shop on this machine and writes what it found to bench/report.
 *
 *   npm run bench -- [NAME...] [--rounds N] [--seconds N] [--rows N] [--clients N] [--seed N]
 *
 * Without a name everything is measured. With MONGOD_BIN and RABBITMQ_SERVER_BIN also on real servers, started here on free
 * ports. Rows, clients and seed are those of the catalogue. What peers needs is told in README.md.
 */
import { parseArgs } from 'node:util';
import { benchCatalogue } from './catalogue.ts';
import { benchCheckout } from './checkout.ts';
import { benchGateway } from './gateway.ts';
import { benchPeers } from './peers/peers.ts';
import { benchProfile } from './profile.ts';
import { type Report, write } from './report.ts';
import { hasServers } from './shop.ts';
import { benchStartup } from './startup.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string' },
    rows: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const rounds = Number(values.rounds);
const secondsOr = (usual: number): number => Number(values.seconds ?? usual);

const benchmarks: Record<string, { needsServers?: boolean; run(): Promise<Report> }> = {
  startup: { run: () => benchStartup({ rounds, say }) },
  gateway: { needsServers: true, run: () => benchGateway({ connections: 32, seconds: secondsOr(5), rounds, say }) },
  checkout: { run: () => benchCheckout({ buyers: [1, 8, 32, 128], seconds: secondsOr(5), rounds, say }) },
  profile: { needsServers: true, run: () => benchProfile({ seconds: secondsOr(10), say }) },
  peers: { needsServers: true, run: () => benchPeers({ buyers: [8, 32], seconds: secondsOr(8), rounds, say }) },
  catalogue: {
    run: () =>
      benchCatalogue({
        ...{ rows: Number(values.rows), clients: Number(values.clients), seed: Number(values.seed) },
        ...{ seconds: secondsOr(10), say },
      }),
  },
};

const unknown = positionals.filter(name => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  say(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
for (const [name, { needsServers, run }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  if (needsServers && !hasServers()) {
    say(`${name} is left out: MONGOD_BIN and RABBITMQ_SERVER_BIN are not set`);
    continue;
  }
  process.stdout.write(`${write(name, await run())}\n`);
}
