import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createConfig, lint } from '@redocly/openapi-core';
import { openApiFile } from '@tradepost/local/openapi';

test('the OpenAPI document has nothing that Redocly warns of', async () => {
  const rules = readFileSync(new URL('../../docs/redocly.yaml', import.meta.url), 'utf8');
  const problems = await lint({ ref: fileURLToPath(openApiFile), config: await createConfig(rules) });
  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`),
    [],
  );
});
