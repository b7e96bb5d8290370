import assert from 'node:assert/strict';
import { send as sendUnchecked, type TestAnswer } from '@tradepost/local/testing';
import { readContract } from './contract.ts';

const contract = readContract();

/**
 * Sends a JSON request and holds the answer against the OpenAPI document; `token` as bearer, `body` as JSON unless it is
 * a string.
 * @throws AssertionError when the answer is not one that the document describes
 */
export async function send(...request: Parameters<typeof sendUnchecked>): Promise<TestAnswer> {
  const answer = await sendUnchecked(...request);
  const [, method, path] = request;
  const { status, headers, body } = answer;
  const seen = { status, contentType: headers.get('content-type') ?? undefined, body };
  const deviations = contract.deviations(method, path, { ...seen, header: name => headers.get(name) });
  assert.deepEqual(deviations, [], `${method} ${path} is not as docs/openapi.json says: ${JSON.stringify(body)}`);
  return answer;
}
