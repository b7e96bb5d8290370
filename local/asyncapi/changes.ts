import type { AsyncApi, DataSchema } from './document.ts';

/**
 * What a consumer that was written for the old document would stumble over in the new one: kinds of messages that are
 * gone, fields that are gone, may be missing now, or are of another type. A message whose schema version has risen is a
 * new contract.
 * @returns a line for each; empty when every old consumer goes on
 */
export function breakingChanges(old: AsyncApi, now: AsyncApi): string[] {
  return Object.entries(old.components.messages).flatMap(([type, message]) => {
    const next = now.components.messages[type];
    if (!next) return [`${type} is gone`];
    const [before, after] = [message.payload.allOf[1].properties, next.payload.allOf[1].properties];
    if (after.schemaversion.const < before.schemaversion.const) return [`${type}: its schema version has fallen`];
    if (after.schemaversion.const > before.schemaversion.const) return [];
    return changesIn(type, before.data, after.data);
  });
}

function changesIn(path: string, old: DataSchema, now: DataSchema): string[] {
  const [before, after] = [kindOf(old), kindOf(now)];
  const added = after.filter(kind => !before.includes(kind));
  if (added.length > 0 || after.length === 0) {
    return [`${path} was ${before.join(' or ')} and is ${after.join(' or ')}`];
  }
  const [oldObject, nowObject] = [partWith('properties', old), partWith('properties', now)];
  const [oldItems, nowItems] = [partWith('items', old)?.items, partWith('items', now)?.items];
  return [
    ...Object.entries(oldObject?.properties ?? {}).flatMap(([name, schema]) => {
      const next = nowObject?.properties?.[name];
      if (!next) return [`${path}.${name} is gone`];
      const wasSure = oldObject?.required?.includes(name) && !nowObject?.required?.includes(name);
      return [
        ...(wasSure ? [`${path}.${name} may be missing now`] : []),
        ...changesIn(`${path}.${name}`, schema, next),
      ];
    }),
    ...(oldItems && nowItems ? changesIn(`${path}[]`, oldItems, nowItems) : []),
  ];
}

/** The types that a value may have; where only certain values may come, those. */
function kindOf(schema: DataSchema): string[] {
  if (schema.anyOf) return schema.anyOf.flatMap(kindOf);
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value));
  const types = [schema.type ?? 'anything'].flat();
  return schema.format ? types.map(type => `${type} (${String(schema.format)})`) : types;
}

/** The alternative of a schema that has this keyword. */
const partWith = (keyword: 'properties' | 'items', schema: DataSchema): DataSchema | undefined =>
  schema[keyword] ? schema : schema.anyOf?.find(part => part[keyword]);
