import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { readCoefficients } from '@tradepost/local/capacity/coefficients';
import { compareUsage, describe, tooFarOff } from '../../bench/capacity/check.ts';
import { predict } from '../../bench/capacity/costs.ts';
import { measureCapacity } from '../../bench/capacity/run.ts';

/** Of a machine where processes wait longer than this part of the time, processor time says little. */
const mostWaiting = 0.25;

test('costs told from single things explain a mixture of all, and counts are those of the plan', {
  timeout: 800_000,
}, async () => {
  const lines: string[] = [];
  const run = await measureCapacity({
    ...{ seconds: 3, rounds: 3, say: line => lines.push(line) },
    isEnough: check => tooFarOff(check).length === 0,
  });
  const { mixture, waitedPart } = run;
  const isTime = ({ what }: { what: string }) => what.startsWith('cpuMs');

  const far = tooFarOff(run.check);
  const isBusy = waitedPart > mostWaiting;
  assert.deepEqual(
    far.filter(one => !isBusy || !isTime(one)).map(describe),
    [],
    `waited for a processor ${(100 * waitedPart).toFixed(0)} % of the time\n${lines.join('\n')}`,
  );

  // What a change of the shop makes dearer shows here, until it is measured anew.
  const planned = compareUsage(predict(readCoefficients(), mixture), mixture.usage).filter(one => !isTime(one));
  assert.deepEqual(tooFarOff(planned).map(describe), [], 'npm run bench -- capacity measures anew');

  const worst = (all: typeof planned) => Math.max(...all.map(({ ratio }) => Math.abs(ratio - 1)));
  const figures = {
    test: isBusy ? 'capacity model, on a machine too busy to tell processor time' : 'capacity model',
    orders: Math.round(mixture.counts.order ?? 0),
    rounds: lines.filter(line => line.includes('a mixture')).length,
    worst: Number(worst(run.check).toFixed(2)),
    worstOfCountsInPlan: Number(worst(planned).toFixed(2)),
    waitedPart: Number(waitedPart.toFixed(2)),
  };
  if (process.env.TEST_FIGURES) appendFileSync(process.env.TEST_FIGURES, `${JSON.stringify(figures)}\n`);
});
