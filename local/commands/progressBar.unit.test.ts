import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { withProgress } from './progressBar.ts';

/** A terminal, or not, that keeps what was written to it. */
function terminal(isTTY: boolean) {
  let written = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += chunk;
      done();
    },
  });
  const methods = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  const fake = Object.assign(stream, { isTTY, columns: 100, ...methods });
  return { stream: fake as unknown as NodeJS.WriteStream, written: () => written };
}

const work = async (onProgress: (done: number, total: number) => void): Promise<string> => {
  for (let done = 1; done <= 4; done += 1) {
    onProgress(done, 4);
    // The bar is drawn a few times in a second.
    await new Promise(resolve => setTimeout(resolve, 110));
  }
  return 'result';
};

test('a terminal shows a bar that fills', async () => {
  const { stream, written } = terminal(true);
  assert.equal(await withProgress('commits', work, stream), 'result');
  assert.match(written(), /commits [█]{10}░{30} 1\/4 /);
  assert.match(written(), /commits [█]{30}░{10} 3\/4 /);
});

test('the bar is gone when the work fails, too', async () => {
  const { stream } = terminal(true);
  await assert.rejects(
    withProgress('commits', () => Promise.reject(new Error('no')), stream),
    /^Error: no$/,
  );
});

test('what is no terminal gets no bar', async () => {
  const { stream, written } = terminal(false);
  assert.equal(await withProgress('commits', work, stream), 'result');
  assert.equal(written(), '');
});
