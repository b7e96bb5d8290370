import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { upstreamOf } from '../gateway/src/domain/routingTable.ts';
import { openApiFile, openApiText, routesByService } from './openapi.ts';

const usualDeadlineMs = 3_000;

test('docs/openapi.json describes the routes as they are', () => {
  assert.ok(readFileSync(openApiFile, 'utf8') === openApiText(), 'write it anew: node local/openapi.ts');
});

test('every operation has a name of its own', () => {
  const ids = Object.values(routesByService).flatMap(routes => routes.map(route => route.operation.id));
  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  );
});

for (const [service, routes] of Object.entries(routesByService).filter(([name]) => name !== 'gateway')) {
  for (const { method, path, access, operation } of routes) {
    test(`the gateway knows ${method.toUpperCase()} ${path} of ${service}`, () => {
      const upstream = upstreamOf(method.toUpperCase(), path);
      if (access === 'service') {
        assert.equal(upstream, undefined);
        return;
      }
      assert.equal(upstream?.service, service);
      const download = operation.answers[200]?.contentType !== undefined;
      const upload = operation.streamed !== undefined && !operation.streamed.includes('application/json');
      assert.equal(upstream.streamed, upload || download);
      if (!upstream.streamed) {
        assert.equal(upstream.deadlineMs ?? usualDeadlineMs, operation.deadlineMs ?? usualDeadlineMs);
      }
    });
  }
}
