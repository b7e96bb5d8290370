import type { AsyncApi, DataSchema } from './document.ts';

/** One kind of message or event: the schema version that is written, 0 for none yet, and the shape of all that are read. */
export interface Contract {
  written: number;
  read: Record<number, DataSchema>;
}

export type Contracts = Readonly<Record<string, Contract>>;

/** What an AsyncAPI document says of each kind of message. */
export function contractsIn({ components }: AsyncApi): Contracts {
  const messages = Object.entries(components.messages).map(([key, { name, payload }]) => {
    const { schemaversion, data } = payload.allOf[1].properties;
    return { name, version: schemaversion.const, data, isPublished: key === name };
  });
  return Object.fromEntries(
    [...Map.groupBy(messages, ({ name }) => name)].map(([name, versions]) => {
      const written = versions.find(({ isPublished }) => isPublished)?.version ?? 0;
      return [name, { written, read: Object.fromEntries(versions.map(({ version, data }) => [version, data])) }];
    }),
  );
}

/**
 * What instances of two releases that run side by side, in either order, would stumble over: each has to read whatever the
 * other writes. Within a schema version only fields that may be missing may be added; a new one is read a release before
 * it is written.
 * @param options.isStored they are kept in streams that are read from the beginning, for ever and by everybody
 * @returns a line for each; empty when both go on
 */
export function breakingChanges(old: Contracts, now: Contracts, options: { isStored?: boolean } = {}): string[] {
  const added = Object.keys(now).filter(name => !Object.hasOwn(old, name));
  const unknown = options.isStored ? added.filter(name => now[name]?.written !== 0) : [];
  return [
    ...unknown.map(name => `${name} is not known to the release before; announce it first`),
    ...Object.entries(old).flatMap(([name, before]) => {
      const after = now[name];
      if (!after) return before.written === 0 ? [] : [`${name} is gone`];
      const oldest = options.isStored ? 1 : before.written;
      const written = Object.keys(before.read).map(Number);
      const needed = written.filter(version => version >= oldest && version <= before.written);
      return [
        ...needed
          .filter(version => !after.read[version])
          .map(version => `${name} was written in schema version ${version}, which is not read any more`),
        ...(after.written === 0 || before.read[after.written]
          ? []
          : [`${name} is written in schema version ${after.written}, which the release before does not read`]),
        ...Object.entries(before.read).flatMap(([version, schema]) => {
          const next = after.read[Number(version)];
          return next ? changesIn(name, schema, next) : [];
        }),
      ];
    }),
  ];
}

const limits = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minLength', 'maxLength', 'pattern', 'minItems', 'maxItems'],
];

function changesIn(path: string, old: DataSchema, now: DataSchema): string[] {
  const [before, after] = [kindOf(old), kindOf(now)];
  if (before.join() !== after.join()) return [`${path} was ${before.join(' or ')} and is ${after.join(' or ')}`];
  const [oldItems, nowItems] = [partWith('items', old)?.items, partWith('items', now)?.items];
  return [
    ...limits
      .filter(limit => old[limit] !== now[limit])
      .map(limit => `${path}: its ${limit} was ${old[limit] ?? 'none'} and is ${now[limit] ?? 'none'}`),
    ...fieldChanges(path, partWith('properties', old), partWith('properties', now)),
    ...(oldItems && nowItems ? changesIn(`${path}[]`, oldItems, nowItems) : []),
  ];
}

function fieldChanges(path: string, old: DataSchema = {}, now: DataSchema = {}): string[] {
  const [before, after] = [old.properties ?? {}, now.properties ?? {}];
  const isSure = (schema: DataSchema, name: string) => schema.required?.includes(name) === true;
  return [
    ...Object.entries(before).flatMap(([name, schema]) => {
      const next = after[name];
      if (!next) return [`${path}.${name} is gone`];
      const [was, is] = [isSure(old, name), isSure(now, name)];
      const turned = was === is ? [] : [`${path}.${name} ${is ? 'may not be missing any more' : 'may be missing now'}`];
      return [...turned, ...changesIn(`${path}.${name}`, schema, next)];
    }),
    ...Object.entries(after)
      .filter(([name, { default: filledIn }]) => !before[name] && isSure(now, name) && filledIn === undefined)
      .map(([name]) => `${path}.${name} is new and may not be missing`),
  ];
}

/** The types that a value may have, sorted; where only certain values may come, those. */
function kindOf(schema: DataSchema): string[] {
  if (schema.anyOf) return schema.anyOf.flatMap(kindOf).sort();
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).sort();
  const types = [schema.type ?? 'anything'].flat();
  return (schema.format ? types.map(type => `${type} (${String(schema.format)})`) : types).sort();
}

/** The alternative of a schema that has this keyword. */
const partWith = (keyword: 'properties' | 'items', schema: DataSchema): DataSchema | undefined =>
  schema[keyword] ? schema : schema.anyOf?.find(part => part[keyword]);
