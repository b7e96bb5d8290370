import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { orderEvents } from '../../order-service/src/domain/events.ts';
import { breakingChanges } from './changes.ts';
import { eventContracts, eventSchemasFile, eventSchemasText } from './eventSchemas.ts';

describe('the shapes of stored events', () => {
  const committed = readFileSync(eventSchemasFile, 'utf8');

  test('are what npm run asyncapi writes', () => assert.equal(committed, eventSchemasText()));

  test('keep what instances of the release before rely on', () =>
    assert.deepEqual(breakingChanges(parse(committed), eventContracts(), { isStored: true }), []));

  test('are there for every version that ever was, and leave nothing to be filled in when they are read', () => {
    for (const [type, { read }] of Object.entries(eventContracts())) {
      const { version } = orderEvents[type as keyof typeof orderEvents];
      assert.deepEqual(
        Object.keys(read).map(Number),
        Array.from({ length: version }, (_, index) => index + 1),
        type,
      );
      assert.doesNotMatch(JSON.stringify(read), /"default"/, type);
    }
  });
});
