import type { ShardKey } from '@tradepost/local/sharding/shardKeys';
import { type Operation, pinnedFields } from './operations.ts';

/**
 * How a router sends an operation: to the shards that can have its documents, or to every one. Reads and writes of many
 * documents need the first field of the key, equal to one or some values. A write of one document needs the whole key, or
 * at least the `_id`; before 8.0 a findAndModify needs the whole key, and is refused without it.
 */
export function routeOf(operation: Operation, key: ShardKey): 'targeted' | 'scattered' | 'refused' {
  const pinned = pinnedFields(operation.filter);
  const fields = Object.keys(key);
  if (operation.writes !== 'one') return pinned.has(fields[0] ?? '') ? 'targeted' : 'scattered';
  if (fields.every(field => pinned.get(field) === 'one')) return 'targeted';
  return operation.command === 'update' || operation.command === 'delete'
    ? pinned.get('_id') === 'one'
      ? 'scattered'
      : 'refused'
    : 'refused';
}

/** What an operation looks like without its values, as lists name it: `find events {pending, $or}`. */
export const shapeOf = ({ command, collection, filter }: Operation): string =>
  `${command} ${collection} {${Object.keys(filter).sort().join(', ')}}`;

/**
 * What is wrong with the indexes of a collection that is spread by a key: MongoDB keeps an index unique on each shard
 * alone, so equal entries must belong to one shard.
 */
export function indexFaults(
  key: ShardKey,
  indexes: readonly { name?: string; key: Readonly<Record<string, unknown>>; unique?: boolean }[],
): string[] {
  const fields = Object.keys(key);
  return indexes
    .filter(({ unique }) => unique)
    .filter(index => fields.some((field, at) => Object.keys(index.key)[at] !== field))
    .map(index => `${JSON.stringify(index.key)} is unique and does not begin with ${fields.join(', ')}`);
}
