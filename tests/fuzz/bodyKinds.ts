import type { Draw } from './draw.ts';
import * as hostile from './hostile.ts';
import { type Draft, goodDraft } from './request.ts';
import { withBody } from './targets.ts';
import type { World } from './world.ts';

/** Spoils a request; what is asked for at random comes from `draw`. */
export type Kind = (draw: Draw, world: World) => Draft;

const bodied = (draw: Draw, world: World): Draft => goodDraft(draw.pick(withBody), draw, world);
const withText = (draft: Draft, text: string | Buffer, refused = true): Draft => ({
  ...draft,
  text,
  refused: refused || draft.refused,
});
const asText = (draft: Draft): string => JSON.stringify(draft.json);

/** Broken JSON, and JSON that is no object. */
const brokenJson: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const good = asText(draft);
  const cut = good.slice(0, 1 + draw.below(good.length - 1));
  const broken: (string | Buffer)[] = [
    ...[
      cut,
      cut,
      cut,
      `${good},`,
      `${good}${good}`,
      `\ufeff${good}`,
      good.replace(/}$/, ',}'),
      good.replaceAll('"', "'"),
    ],
    ...['', ' ', '{', '[', '"', 'nul', 'NaN', '{"a":NaN}', '// x\n{}', '{a:1}', '\u0000', '{"a":"\n"}', '{"a":"\\x"}'],
    ...['null', '[]', '1', '"text"', 'true', '[{}]', '{"\\ud800":1}'],
    ...hostile.rawNumbers.map(number => `{"quantity":${number}}`),
    Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    Buffer.from(good, 'utf16le'),
  ];
  // A body that may be left out, left out, is a good request.
  const text = draw.pick(broken);
  return withText(draft, text, text.length > 0 && text !== good);
};

const contentType: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const types = [
    ...[
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/json',
    ],
    ...[
      'application/json; charset=latin1',
      'application/json; charset=utf-16',
      'application/jsonp',
      '*/*',
      'x',
      '/',
      ';',
    ],
    ...['application/json, text/plain', 'application/problem+json', 'application/merge-patch+json'],
  ];
  const encoding: Record<string, string> = draw.chance(0.3)
    ? { 'Content-Encoding': draw.pick(['gzip', 'deflate', 'br', 'x', 'gzip, gzip', 'identity, gzip']) }
    : { 'Content-Type': draw.pick(types) };
  return { ...withText(draft, asText(draft)), headers: { ...draft.headers, ...encoding } };
};

const tooLarge: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const good = asText(draft);
  const size = draw.pick([100_001, 100_001, 150_000, 1_000_000]);
  const how = draw.pick(['spaces', 'text', 'chunks'] as const);
  if (how === 'text') return withText(draft, `{"name":"${'x'.repeat(size - 11)}"}`);
  const padded = good + ' '.repeat(size - Buffer.byteLength(good));
  const chunked: Record<string, string> = how === 'chunks' ? { 'Transfer-Encoding': 'chunked' } : {};
  return { ...withText(draft, padded), headers: { ...draft.headers, ...chunked } };
};

const nesting: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const deep = draw.pick([50, 1_000, 10_000, 16_000]);
  const inner = draw.chance(0.5)
    ? ['['.repeat(deep), ']'.repeat(deep)]
    : ['{"a":'.repeat(deep), `1${'}'.repeat(deep)}`];
  const nested = inner.join('').slice(0, 99_000);
  const fields = Object.keys((draft.json as object) ?? {});
  return withText(draft, fields.length > 0 && draw.chance(0.7) ? `{"${draw.pick(fields)}":${nested}}` : nested);
};

/** A good body in which one value, at any depth, is another. */
function spoilt(draft: Draft, draw: Draw, values: readonly unknown[]): Draft {
  const json = structuredClone(draft.json);
  const places: [holder: Record<string, unknown>, field: string][] = [];
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [field, inner] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, field]);
      look(inner);
    }
  };
  look(json);
  if (places.length === 0) return { ...draft, json: { [draw.pick(hostile.protectedNames)]: draw.pick(values) } };
  const [holder, field] = draw.pick(places);
  holder[field] = draw.pick(values);
  return { ...draft, json };
}

const spoiling =
  (values: readonly unknown[]): Kind =>
  (draw, world) =>
    spoilt(bodied(draw, world), draw, values);

const massAssignment: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const known = Object.keys((draft.json as object) ?? {});
  const names = hostile.protectedNames.filter(name => !known.includes(name));
  return { ...draft, json: { ...(draft.json as object), [draw.pick(names)]: draw.pick(['admin', 1, true, 'x', 0]) } };
};

const prototypeKeys: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const poison = draw.pick(hostile.prototypeBodies);
  const good = asText(draft);
  const inside = draw.chance(0.3) ? good.replace(/:\{/, `:{${poison},`).replace(/,\}/, '}') : good;
  const text = inside === good ? `{${poison}${good === '{}' ? '' : ','}${good.slice(1)}` : inside;
  return withText(draft, text, inside === good);
};

const duplicateKeys: Kind = (draw, world) => {
  const draft = bodied(draw, world);
  const fields = Object.entries((draft.json as object) ?? {});
  if (fields.length === 0) return withText(draft, '{"a":1,"a":2}');
  const [name, value] = draw.pick(fields);
  const [first, second] = draw.chance(0.5)
    ? [value, draw.pick(hostile.operators)]
    : [draw.pick(hostile.operators), value];
  const good = asText(draft);
  return withText(
    draft,
    `{"${name}":${JSON.stringify(first)},"${name}":${JSON.stringify(second)},${good.slice(1)}`,
    false,
  );
};

/** Amounts, prices and quantities that would make something cheaper, or more than there is. */
const money: Kind = (draw, world) => {
  const about = withBody.filter(({ id }) => /createOrder|refundOrder|createProduct|patchProduct|adjustStock/.test(id));
  const draft = goodDraft(draw.pick(about), draw, world);
  const extra = draw.pick([
    ...[
      { total: 1 },
      { price: { amount: -1, currency: 'GBP' } },
      { amount: -1 },
      { amount: 1e18 },
      { currency: 'XXX' },
    ],
    ...[
      { discount: 100 },
      { price: { amount: 1e13, currency: 'GBP' } },
      { price: 1 },
      { onHand: -1 },
      { adjustBy: 2 ** 53 },
    ],
    ...[
      { items: [{ productId: world.productId(draw), quantity: -1 }] },
      { amount: 0.5 },
      { amount: '1' },
      { refunded: 0 },
    ],
    ...[
      { items: [{ productId: world.productId(draw), quantity: 1, unitPrice: 1 }] },
      { price: { amount: 1, currency: 'gbp' } },
    ],
  ]);
  return { ...draft, json: { ...(draft.json as object), ...extra } };
};

const addresses: Kind = (draw, world) => {
  const about = withBody.filter(({ id }) => /Product|webhook|Webhook|updateMe|Address/.test(id));
  const draft = goodDraft(draw.pick(about), draw, world);
  const url = draw.pick(hostile.innerAddresses);
  const fields = /Product/.test(draft.target.id) ? { images: [url] } : { name: url, url, line1: url };
  return { ...draft, json: { ...(draft.json as object), ...fields } };
};

const schemaBodies: Kind = (draw, world) => bodied(draw, world);

/** Several changes at once to a body made from its schema: values, missing fields, fields from elsewhere. */
const mutatedBodies: Kind = (draw, world) => {
  let draft = bodied(draw, world);
  for (let count = 1 + draw.below(3); count > 0; count -= 1) {
    const pool = draw.pick([hostile.wrongKinds, hostile.numbers, hostile.operators, hostile.oddTexts]);
    draft = spoilt(draft, draw, [...pool, undefined]);
  }
  return draft;
};

export const bodyKinds: Readonly<Record<string, { share: number; make: Kind }>> = {
  'broken JSON': { share: 480, make: brokenJson },
  'content type and encoding': { share: 120, make: contentType },
  'too large': { share: 72, make: tooLarge },
  'deep nesting': { share: 48, make: nesting },
  'type confusion': { share: 840, make: spoiling(hostile.wrongKinds) },
  'operator in a body': { share: 1_000, make: spoiling(hostile.operators) },
  'mass assignment': { share: 160, make: massAssignment },
  'prototype keys': { share: 120, make: prototypeKeys },
  'duplicate keys': { share: 60, make: duplicateKeys },
  'slow patterns in a body': { share: 400, make: spoiling(hostile.slowTexts) },
  numbers: { share: 160, make: spoiling(hostile.numbers) },
  'odd text in a body': { share: 200, make: spoiling(hostile.oddTexts) },
  money: { share: 80, make: money },
  'inner addresses': { share: 60, make: addresses },
  'bodies of the schema': { share: 400, make: schemaBodies },
  'mutated bodies of the schema': { share: 3_000, make: mutatedBodies },
};
