import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { StartError } from '@tradepost/shared/lifecycle';
import { reachShop, runClient } from '../reachShop.ts';
import { createProgress } from './progress.ts';
import { type ReplayOptions, replay } from './replay.ts';
import { agrees, reportOf } from './report.ts';

const usage = `npm run replay -- CATALOGUE ORDERS [--limit N] [--buyers N] [--url URL] [--seed WORD]

  CATALOGUE  products: CSV (stockCode, description, unitPricePence) or the shop's own import as CSV or NDJSON
  ORDERS     orders: NDJSON, also gzipped
  --limit    play the first N orders (all)
  --buyers   orders under way at once (8)
  --url      address of the gateway (the shop of DATA_DIR)
  --seed     name of the run: the same one goes on where it was, another one buys everything again (1)

The administrator is ADMIN_EMAIL and ADMIN_PASSWORD, or the one that the shop of DATA_DIR made up.`;

function optionsOf(args: string[], environment: NodeJS.ProcessEnv): ReplayOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      limit: { type: 'string' },
      buyers: { type: 'string', default: '8' },
      url: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [cataloguePath, ordersPath, ...others] = positionals;
  if (cataloguePath === undefined || ordersPath === undefined || others.length > 0) throw new StartError(usage);
  const dataDir = environment.DATA_DIR || '.data';
  return {
    cataloguePath,
    ordersPath,
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('limit', values.limit),
    buyers: wholeNumber('buyers', values.buyers),
    ...reachShop(values.url, environment),
    seed: values.seed,
    stateFile: run => join(dataDir, 'replays', `${run}.json`),
    startProgress: total => createProgress(process.stderr, total),
    say: line => process.stderr.write(`${line}\n`),
    random: Math.random,
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new StartError(`--${name} must be a whole number above 0`);
  return Number(text);
}

await runClient(async () => {
  const options = optionsOf(process.argv.slice(2), process.env);
  process.stderr.write(`seed ${options.seed}, ${options.url}\n`);
  const result = await replay(options);
  process.stdout.write(`${reportOf(result).join('\n')}\n`);
  process.exitCode = agrees(result) ? 0 : 1;
});
