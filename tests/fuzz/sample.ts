import type { Draw } from './draw.ts';
import { contract } from './targets.ts';
import type { World } from './world.ts';

/** What a sample is made of: the part of JSON Schema that the document uses. */
interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  type?: string | string[];
  example?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
}

const words = ['Ada', 'mug', 'red', 'Mill Lane 12', 'Zoë', 'كتاب', '日本語', '🧵 felt', 'a-b_c', 'ABC-1'];
const fitting = ['1', 'red:1', 'GBP', 'GB', 'ABC-1', 'https://example.com/a.png', 'a@example.com', 'customer'];

/** A value that fits a schema, with fields that may be left out sometimes left out. */
export function sampleOf(schema: object, draw: Draw, world: World, name = ''): unknown {
  const own = schema as Schema;
  if (own.$ref)
    return sampleOf(contract.document.components.schemas[own.$ref.split('/').at(-1) ?? ''] ?? {}, draw, world, name);
  if (own.const !== undefined) return own.const;
  if (own.enum) return draw.pick(own.enum);
  const alternatives = own.anyOf ?? own.oneOf;
  if (alternatives) return sampleOf(draw.pick(alternatives), draw, world, name);
  const known = knownValue(name, draw, world);
  if (known !== undefined) return known;
  const type = Array.isArray(own.type) ? draw.pick(own.type) : own.type;
  switch (type) {
    case 'object':
      return sampleObject(own, draw, world);
    case 'array': {
      const length = Math.min((own.minItems ?? 0) + draw.below(3), own.maxItems ?? 3);
      return Array.from({ length }, () => sampleOf(own.items ?? {}, draw, world, name));
    }
    case 'integer':
    case 'number': {
      const least = own.minimum ?? 0;
      return draw.pick([least, least + 1, least + draw.below(100), Math.min(own.maximum ?? 1_000, 1_000_000)]);
    }
    case 'boolean':
      return draw.chance(0.5);
    case 'null':
      return null;
    default:
      return sampleText(own, draw);
  }
}

/** Fields whose values must mean something for a request to get anywhere. */
function knownValue(name: string, draw: Draw, world: World): unknown {
  if (name === 'productId') return world.productId(draw);
  if (name === 'addressId') return world.addressId;
  if (name === 'quantity') return draw.pick([1, 1, 1, 2, 100_000]);
  if (name === 'email') return `sample-${draw.below(1e9)}@example.com`;
  if (/^(p|currentP|newP)assword$/.test(name)) return draw.pick(['a long enough password', 'quite another long one']);
  return undefined;
}

function sampleObject(schema: Schema, draw: Draw, world: World): Record<string, unknown> {
  const sample: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (!schema.required?.includes(name) && draw.chance(0.4)) continue;
    sample[name] = name === 'token' ? draw.pick(['tok_visa', 'tok_declined']) : sampleOf(inner, draw, world, name);
  }
  if (typeof schema.additionalProperties === 'object' && draw.chance(0.5)) {
    sample[draw.pick(words)] = sampleOf(schema.additionalProperties, draw, world);
  }
  return sample;
}

function sampleText(schema: Schema, draw: Draw): string {
  if (schema.pattern) {
    const pattern = new RegExp(schema.pattern, 'u');
    const candidates = [...fitting, ...words, String(schema.example ?? '')];
    return candidates.filter(one => pattern.test(one)).at(draw.below(3)) ?? String(schema.example ?? 'x');
  }
  if (typeof schema.example === 'string' && draw.chance(0.3)) return schema.example;
  const longest = schema.maxLength ?? 200;
  if (draw.chance(0.05)) return 'x'.repeat(longest);
  return draw
    .pick(words)
    .padEnd(schema.minLength ?? 1, 'x')
    .slice(0, longest);
}
