import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepRunning } from './keepRunning.ts';

const folder = mkdtempSync(join(tmpdir(), 'tradepost-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function keep(name: string, code: string, pause?: (ms: number) => Promise<void>) {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, code);
  const lines: string[] = [];
  const kept = keepRunning({
    script: () => script,
    environment: { PATH: process.env.PATH },
    line: text => lines.push(text),
    random: () => 0,
    ...(pause ? { pause } : {}),
  });
  return { kept, lines };
}

async function until(check: () => boolean, what: () => unknown): Promise<void> {
  for (const end = performance.now() + 20_000; !check(); await sleep(10)) {
    assert.ok(performance.now() < end, `did not happen within 20 s: ${JSON.stringify(what())}`);
  }
}

const forever = 'setInterval(() => {}, 1_000);';

describe('a process that is kept running', () => {
  test('is started again when it is killed and when it ends by itself', async () => {
    const { kept, lines } = keep('killed', `console.log('up', process.pid); ${forever}`);
    await until(
      () => lines.length === 1,
      () => lines,
    );
    const first = kept.pid();
    kept.signal('SIGKILL');
    await until(
      () => lines.length === 3,
      () => lines,
    );
    assert.deepEqual(lines, [`up ${first}`, 'ended (SIGKILL) and is started again', `up ${kept.pid()}`]);
    assert.equal(kept.restarts(), 1);
    await kept.stop(5_000);
    assert.equal(kept.pid(), undefined);
  });

  test('waits longer after each failure', async () => {
    const pauses: number[] = [];
    const pause = async (ms: number) => void pauses.push(ms);
    const { kept, lines } = keep('failing', 'process.exit(3);', pause);
    await until(
      () => kept.restarts() >= 9,
      () => lines,
    );
    await kept.stop(5_000);
    assert.deepEqual(pauses.slice(0, 9), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    assert.equal(lines[0], 'ended (code 3) and is started again');
  });

  test('is killed when it does not end, and not started again', async () => {
    const { kept, lines } = keep(
      'deaf',
      `process.on('SIGTERM', () => console.log('heard')); console.log('up'); ${forever}`,
    );
    await until(
      () => lines.includes('up'),
      () => lines,
    );
    await kept.stop(100);
    assert.deepEqual([kept.pid(), kept.restarts()], [undefined, 0]);
  });

  test('hears when its keeper is gone', async () => {
    const child = join(folder, 'child.mjs');
    writeFileSync(
      child,
      `process.on('disconnect', () => { console.log('alone'); process.exit(0); }); console.log('up'); ${forever}`,
    );
    const keeper = `
      import { keepRunning } from ${JSON.stringify(new URL('./keepRunning.ts', import.meta.url).href)};
      const kept = keepRunning({ script: () => ${JSON.stringify(child)}, environment: process.env, random: () => 0,
        line: text => { console.log('child', kept.pid(), text); if (text === 'up') process.kill(process.pid, 'SIGKILL'); } });`;
    const { kept, lines } = keep('keeper', keeper);
    await until(
      () => lines.some(line => / up$/.test(line)),
      () => lines,
    );
    const pid = Number(/child (\d+) up/.exec(lines.join('\n'))?.[1]);
    await until(
      () => !isAlive(pid),
      () => lines,
    );
    await kept.stop(5_000);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
