/**
 * Sends requests that nobody should send to a whole shop, through the gateway and straight at its services, and holds
 * each answer against the OpenAPI document.
 *
 *   npm run fuzz -- [--cases N] [--seed S] [--case I]
 *
 * N cases (23,000) drawn by seed S, or only the one numbered I. Exits with 1 when an answer was wrong.
 */
import { parseArgs } from 'node:util';
import { readSettings } from '@tradepost/local/settings';
import { startShop } from '@tradepost/local/startShop';
import { fuzz } from './fuzz.ts';
import { tableText, violationText } from './report.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '23000' },
    seed: { type: 'string' },
    case: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const first = Number(values.case ?? 0);
const count = values.case === undefined ? Number(values.cases) : 1;
const say = (line: string) => process.stdout.write(`${line}\n`);

const environment = { AUTH_RATE_LIMIT: '1000000000', RATE_LIMIT_PER_MINUTE: '1000000000' };
const log: string[] = [];
const shop = await startShop({ ...readSettings(environment, ['--memory']), gatewayPort: 0, environment }, line => {
  log.push(line);
});
say(`seed ${seed}, ${count} cases`);
const started = performance.now();
let done = 0;
const report = await fuzz(shop, {
  seed,
  log,
  cases: Array.from({ length: count }, (_, index) => first + index),
  onCase: ({ violations }) => {
    done += 1;
    if (done % 1_000 > 0) return;
    const perSecond = done / ((performance.now() - started) / 1_000);
    say(`${done} cases, ${perSecond.toFixed(0)}/s, ${violations.length} violations`);
  },
});
await shop.stop();
const cpu = process.cpuUsage();
for (const violation of report.violations.slice(0, 20)) say(`\n${violationText(seed, violation)}`);
for (const fault of report.faults) say(`\nVIOLATED by the shop: ${fault}`);
say(`\nseed ${seed}\n${tableText(report)}`);
say(`${((performance.now() - started) / 1_000).toFixed(1)} s, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of CPU`);
const failed = report.violations.length + report.faults.length;
say(`\n${Math.max(0, done - failed)} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
