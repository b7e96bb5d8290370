import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@tradepost/shared/logger';
import { consoleLog } from './console.ts';

test('log entries become short lines', () => {
  const lines: string[] = [];
  const logger = createLogger(
    'order-service',
    'info',
    consoleLog(text => lines.push(text)),
  );
  logger.info({ status: 201, path: '/api/orders', token: 'secret' }, 'request');
  logger.warn({ err: new TypeError('no such thing') }, 'that failed');
  logger.error({ err: new TypeError('no such thing') }, 'that is our fault');
  logger.debug('unheard');
  const [info, warning, error] = lines;
  assert.match(
    info ?? '',
    /^\d\d:\d\d:\d\d INFO {2}order-service request status=201 path=\/api\/orders token=\[redacted\]\n$/,
  );
  assert.match(warning ?? '', /^\d\d:\d\d:\d\d WARN {2}order-service that failed \(TypeError: no such thing\)\n$/);
  assert.match(error ?? '', /order-service that is our fault \nTypeError: no such thing\n +at /);
  assert.equal(lines.length, 3);
});
