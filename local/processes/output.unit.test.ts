import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { processOutput } from './output.ts';

const stream = new PassThrough();

function shown(line: string): string[] {
  const lines: string[] = [];
  processOutput(text => lines.push(text), 'order-service-2', 1, 18, stream).line(line);
  return lines;
}

describe('the log of one process', () => {
  const time = '2026-11-22T10:11:12.000Z';

  test('is a line per record behind its name, without the name again', () => {
    const record = { time, level: 'info', service: 'order-service', msg: 'request', status: 201 };
    assert.deepEqual(shown(JSON.stringify(record)), ['order-service-2    | 10:11:12 INFO  request status=201\n']);
  });

  test('keeps the stack of an error in the line', () => {
    const record = {
      time,
      level: 'error',
      msg: 'broke',
      err: { type: 'Error', message: 'x', stack: 'Error: x\n    at y' },
    };
    assert.deepEqual(shown(JSON.stringify(record)), ['order-service-2    | 10:11:12 ERROR broke ⏎ Error: x ⏎ at y\n']);
  });

  for (const text of ['SyntaxError: odd', '{ "half": ', '{"no":"record"}']) {
    test(`passes on what is no record: ${text}`, () =>
      assert.deepEqual(shown(text), [`order-service-2    | ${text}\n`]));
  }

  test('leaves out empty lines', () => assert.deepEqual(shown('  '), []));
});
