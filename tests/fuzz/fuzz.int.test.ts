import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startTestShop } from '../system/testShop.ts';
import { bodyKinds } from './bodyKinds.ts';
import { caseOf, fuzz } from './fuzz.ts';
import { rawKinds } from './rawKinds.ts';
import { tableText, violationText } from './report.ts';
import type { FuzzCase } from './request.ts';
import { requestKinds } from './requestKinds.ts';
import type { FuzzAnswer } from './send.ts';
import { targets } from './targets.ts';
import { violationsOf } from './verdict.ts';
import { openWorld } from './world.ts';

const cases = 5_000;
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);

describe('requests that nobody should send', async () => {
  const shop = await startTestShop();

  test('none is answered as the document does not say', async t => {
    t.diagnostic(`seed ${seed}`);
    const report = await fuzz(shop, { seed, log: shop.log, cases: Array.from({ length: cases }, (_, index) => index) });
    const found = [...report.faults, ...report.violations.slice(0, 5).map(one => violationText(seed, one))];
    assert.deepEqual(found, [], `seed ${seed}\n${tableText(report)}\n${found.join('\n\n')}`);
    const kinds = [bodyKinds, requestKinds, rawKinds].flatMap(Object.keys);
    assert.deepEqual([...report.kinds.keys()].toSorted(), kinds.toSorted());
    assert.ok(report.direct > cases / 10);
  });

  test('a seed and a number draw the same case', async () => {
    const world = await openWorld(shop);
    for (let index = 0; index < 200; index += 1) assert.deepEqual(caseOf(7, index, world), caseOf(7, index, world));
  });
});

describe('the judge', () => {
  const target = targets.find(({ id }) => id === 'updateMe');
  const one: FuzzCase = {
    ...{ kind: '', target, role: 'customer', base: 'http://shop', method: 'PATCH', path: '/api/users/me', headers: {} },
    ...{ body: '{"name":"Ada"}', raw: undefined, refused: false, limitMs: 1 },
  };
  const problem = (status: number, code: string, detail = ''): FuzzAnswer => ({
    status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': 'r', 'x-trace-id': 't', 'retry-after': '1' },
    text: JSON.stringify({
      ...{ type: '', title: '', status, detail, instance: '/', code, requestId: 'r', traceId: 't' },
    }),
  });
  const user = { id: 'u', email: 'a@b.example', name: 'Ada', role: 'customer', createdAt: '2026-11-22T15:39:00.000Z' };
  const good: FuzzAnswer = { status: 200, headers: { 'content-type': 'application/json' }, text: JSON.stringify(user) };

  test('takes what fits', () => {
    assert.deepEqual(violationsOf(one, good), []);
    assert.deepEqual(violationsOf(one, problem(400, 'invalid_request', 'name is too long')), []);
  });

  const wrong: [string, FuzzCase, FuzzAnswer][] = [
    ['500', one, problem(500, 'internal_error')],
    ['503', one, problem(503, 'service_unavailable')],
    ['no answer', one, { ...good, failure: 'hang' }],
    ['a cut connection', one, { ...good, failure: 'ECONNRESET' }],
    ['an error as text', one, { status: 400, headers: { 'content-type': 'text/html' }, text: 'Bad Request' }],
    ['an unknown code', one, problem(400, 'oops')],
    ['a status that is not documented', one, problem(418, 'invalid_request')],
    ['a body that is not documented', one, { ...good, text: JSON.stringify({ ...user, passwordHash: 'x' }) }],
    ['half a body', one, { ...good, text: good.text.slice(0, 20) }],
    ['a stack', one, problem(400, 'invalid_request', 'Error\n    at serve (/srv/app/server.js:12:3)')],
    ['a driver', one, problem(400, 'invalid_request', 'E11000 duplicate key error collection: users')],
    ['a database', one, problem(400, 'invalid_request', 'mongodb://10.0.0.1/users')],
    ['a parser', one, problem(400, 'malformed_json', 'Unexpected token } in JSON')],
    ['success where it is to be refused', { ...one, refused: true }, good],
    ['success for a body that the document forbids', { ...one, body: '{"name":"Ada","role":"admin"}' }, good],
    ['success for no JSON', { ...one, body: '{"name"' }, good],
  ];
  for (const [what, sent, answer] of wrong) {
    test(`refuses ${what}`, () => assert.notDeepEqual(violationsOf(sent, answer), []));
  }
});
