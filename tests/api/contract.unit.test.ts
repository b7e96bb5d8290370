import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readContract, type SeenAnswer } from './contract.ts';

const contract = readContract();

const stock = { productId: 'p', onHand: 3, reserved: 1, available: 2, updatedAt: '2026-11-22T15:39:00.000Z' };
const problem = {
  ...{ type: 'urn:tradepost:error:not_found', title: 'Not found', status: 404, detail: 'No such stock' },
  ...{ instance: '/api/inventory/p', code: 'not_found', requestId: 'r-1', traceId: 't-1' },
};
const headers: Record<string, string> = { 'x-request-id': 'r-1', 'x-trace-id': 't-1' };
const answer = (status: number, body: unknown, contentType = 'application/json; charset=utf-8'): SeenAnswer => ({
  ...{ status, body, contentType },
  header: name => headers[name.toLowerCase()],
});
const deviations = (seen: SeenAnswer, path = '/api/inventory/p?x=1', method = 'GET') =>
  contract.deviations(method, path, seen);
const problemType = 'application/problem+json';

describe('an answer that the document describes', () => {
  const good: [string, SeenAnswer, string?, string?][] = [
    ['a body of its schema', answer(200, stock)],
    ['a problem of its status', answer(404, problem, problemType)],
    ['no body for HEAD', answer(200, ''), '/api/inventory/p', 'HEAD'],
    ['an unknown path', answer(404, problem, problemType), '/api/nothing'],
    ['a path before its template', answer(200, { items: [] }), '/api/products/categories'],
  ];
  for (const [what, seen, path, method] of good) {
    test(what, () => assert.deepEqual(deviations(seen, path, method), []));
  }
});

test('every example of a problem fits the document', () => {
  const { examples } = contract.document.components;
  const documented = Object.entries(contract.document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );
  for (const [code, { value }] of Object.entries(examples)) {
    const route = documented.find(({ operation }) =>
      operation.responses[value.status]?.description.includes(`\`${code}\``),
    );
    assert.ok(route, code);
    const header = (name: string) =>
      ({ 'x-request-id': value.requestId, 'x-trace-id': value.traceId })[name.toLowerCase()] ?? 'any';
    const seen = { status: value.status, contentType: problemType, body: value, header };
    assert.deepEqual(contract.deviations(route.method, route.path, seen), [], code);
  }
});

describe('an answer that differs from the document', () => {
  const bad: [string, SeenAnswer, string?, string?][] = [
    ['a field that is not documented', answer(200, { ...stock, secret: 1 })],
    ['a field that is missing', answer(200, { ...stock, onHand: undefined })],
    ['a field of another type', answer(200, { ...stock, onHand: '3' })],
    ['a time that is none', answer(200, { ...stock, updatedAt: '2026-02-30T00:00:00.000Z' })],
    ['a status that is not documented', answer(202, stock)],
    ['another content type', answer(200, stock, 'text/html')],
    ['an error in plain JSON', answer(404, problem)],
    ['an error with parameters in its type', answer(404, problem, `${problemType}; charset=utf-8`)],
    ['a code that nobody knows', answer(404, { ...problem, code: 'gone' }, problemType)],
    ['a code of another status', answer(404, { ...problem, code: 'forbidden' }, problemType)],
    ['a code that this operation does not have', answer(404, { ...problem, code: 'sku_taken' }, problemType)],
    ['a shortage of nothing', answer(404, { ...problem, shortages: [{ requested: 1, available: 0 }] }, problemType)],
    ['another request id', answer(404, { ...problem, requestId: 'r-2' }, problemType)],
    ['another trace id', answer(404, { ...problem, traceId: 't-2' }, problemType)],
    ['401 without WWW-Authenticate', answer(401, { ...problem, status: 401, code: 'unauthenticated' }, problemType)],
    ['a body where there is none', answer(204, 'text'), '/api/users/me', 'DELETE'],
    ['success where nothing is', answer(200, stock), '/api/nothing'],
    ['503 for an unknown path, not as a problem', answer(503, 'busy', 'text/plain'), '/api/nothing'],
  ];
  for (const [what, seen, path, method] of bad) {
    test(what, () => assert.notDeepEqual(deviations(seen, path, method), []));
  }
});
