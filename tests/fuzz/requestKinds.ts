import type { Kind } from './bodyKinds.ts';
import type { Draw } from './draw.ts';
import * as hostile from './hostile.ts';
import { type Draft, encoded, goodDraft } from './request.ts';
import { targets, withParams, withQuery } from './targets.ts';
import type { World } from './world.ts';

const queried = (draw: Draw, world: World): Draft => goodDraft(draw.pick(withQuery), draw, world);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** One parameter of the query with another value. */
function withParameter(draft: Draft, draw: Draw, values: readonly unknown[]): Draft {
  const parameters = (draft.target.documented.parameters ?? []).filter(one => one.in === 'query');
  const { name } = draw.pick(parameters);
  const query = draft.query.filter(([one]) => one !== name);
  return { ...draft, query: [...query, [name, textOf(draw.pick(values))]] };
}

const paging: Kind = (draw, world) => {
  const values = [
    ...hostile.numbers,
    ...hostile.rawNumbers,
    '101',
    '1000000',
    '',
    'ten',
    '1,2',
    '[1]',
    '.*',
    '^a(',
    ...hostile.cursors,
  ];
  return withParameter(queried(draw, world), draw, values);
};

const operatorInQuery: Kind = (draw, world) => {
  const draft = withParameter(queried(draw, world), draw, hostile.operators);
  if (draw.chance(0.5)) return draft;
  const [name] = draw.pick(draft.query) ?? ['limit'];
  const key = draw.pick([
    `${name}[$gt]`,
    `${name}[]`,
    `${name}[0]`,
    `${name}.$ne`,
    '$where',
    '__proto__[a]',
    'constructor.prototype.a',
  ]);
  return { ...draft, query: [...draft.query, [encoded(key), 'x']], refused: true };
};

const operatorInPath: Kind = (draw, world) => {
  const target = draw.pick(withParams);
  const draft = goodDraft(target, draw, world);
  const values = [...hostile.operators, ...hostile.oddTexts, ...hostile.slowTexts.map(text => text.slice(0, 300))];
  const path = target.path.replace(/\{\w+\}/g, () => encoded(textOf(draw.pick(values))) || '%20');
  return { ...draft, path };
};

const repeatedParameters: Kind = (draw, world) => {
  const draft = withParameter(queried(draw, world), draw, ['1', 'x', 'red:1', 'confirmed']);
  return { ...draft, query: [...draft.query, draw.pick(draft.query)] };
};

const unknownParameters: Kind = (draw, world) => {
  const draft = goodDraft(draw.pick(targets), draw, world);
  const name = draw.pick([
    'x',
    'debug',
    'admin',
    'userId',
    'fields',
    'include',
    '_method',
    'callback',
    'access_token',
    'role',
    '%00',
    'é',
  ]);
  return { ...draft, query: [...draft.query, [encoded(name), 'x']], refused: true };
};

const oddTextInQuery: Kind = (draw, world) =>
  withParameter(queried(draw, world), draw, [
    ...hostile.oddTexts,
    ...hostile.slowTexts.map(text => text.slice(0, 2_000)),
  ]);

/** What belongs to the customer, wanted by a stranger and by nobody. */
const foreignObjects: Kind = (draw, world) => {
  const owned = withParams.filter(
    ({ access, path }) => access === 'owner' || access === 'self' || path.includes('/me/'),
  );
  return goodDraft(draw.pick(owned), draw, world, draw.pick(['stranger', 'stranger', 'anonymous'] as const));
};

const adminRoutes: Kind = (draw, world) =>
  goodDraft(
    draw.pick(targets.filter(({ access }) => access === 'admin')),
    draw,
    world,
    draw.pick(['anonymous', 'customer', 'stranger'] as const),
  );

const identityHeaders: Kind = (draw, world) => {
  const draft = goodDraft(draw.pick(targets), draw, world, draw.pick(['anonymous', 'stranger', 'customer'] as const));
  const [name, value] = draw.pick(hostile.identityHeaders);
  const others = Object.fromEntries(Array.from({ length: draw.below(3) }, () => draw.pick(hostile.identityHeaders)));
  const { Authorization: _, ...harmless } = others;
  const replaced = name === 'Authorization';
  return { ...draft, headers: { ...draft.headers, ...harmless, [name]: value }, refused: draft.refused || replaced };
};

const idempotencyKeys: Kind = (draw, world) => {
  const about = targets.filter(({ id }) => id === 'createOrder' || id === 'refundOrder');
  const draft = goodDraft(draw.pick(about), draw, world);
  const bad = ['', ' ', 'x'.repeat(129), 'x'.repeat(4_000), 'é', 'a b', 'a\tb', '\u00ff'];
  const { 'Idempotency-Key': _, ...without } = draft.headers as Record<string, string>;
  const refused = draft.target.id === 'createOrder' || draft.refused;
  const how = draw.below(4);
  if (how === 0) return { ...draft, headers: without, refused };
  if (how === 1) return { ...draft, headers: { ...without, 'Idempotency-Key': ['one', 'two'] }, refused };
  // The same key with other bodies: replayed once, refused afterwards.
  if (how === 2) return { ...draft, headers: { ...without, 'Idempotency-Key': `shared-${draw.below(3)}` } };
  return { ...draft, headers: { ...without, 'Idempotency-Key': draw.pick(bad) }, refused: true };
};

const conditions: Kind = (draw, world) => {
  const draft = goodDraft(draw.pick(targets.filter(({ service }) => service === 'product-service')), draw, world);
  const tags = [
    '*',
    '""',
    '"x"',
    'W/"1"',
    'x',
    '"1", "2"',
    '"',
    '\\',
    `"${'x'.repeat(3_000)}"`,
    '"-1"',
    '"1e9"',
    '"99999999999999999999"',
  ];
  return { ...draft, headers: { ...draft.headers, [draw.pick(['If-Match', 'If-None-Match'])]: draw.pick(tags) } };
};

/** Rows of an upload: each good, bad or no row at all. */
const uploads: Kind = (draw, world) => {
  const target = targets.find(({ id }) => id === 'importProducts');
  if (!target) throw new Error('there is no import');
  const draft = goodDraft(target, draw, world);
  const sku = `FUZZ-${draw.below(50)}`;
  const row = { sku, name: 'Fuzz', price: { amount: 1, currency: 'GBP' } };
  const rows = [
    ...[
      JSON.stringify(row),
      '{}',
      '[]',
      'null',
      '1',
      '{',
      '',
      '\u0000',
      '{"sku":{"$gt":""}}',
      `{"__proto__":{"polluted":true}}`,
    ],
    ...[
      JSON.stringify({ ...row, price: { amount: -1, currency: 'GBP' } }),
      JSON.stringify({ ...row, initialStock: 1e18 }),
    ],
    ...[
      JSON.stringify({ ...row, role: 'admin' }),
      JSON.stringify({ ...row, name: 'x'.repeat(20_000) }),
      '"'.repeat(300),
    ],
    ...[
      'sku,name,amount,currency',
      `${sku},Fuzz,1,GBP`,
      `"${sku}`,
      ',,,,,,,,,',
      'sku,sku,__proto__',
      `=cmd|' /C x'!A0,,,`,
      ';;;',
    ],
  ];
  const text = Array.from({ length: 1 + draw.below(6) }, () => draw.pick(rows)).join(
    draw.pick(['\n', '\n', '\r\n', '\r']),
  );
  const type = draw.pick(['application/x-ndjson', 'text/csv', 'text/csv; header=absent', 'text/csv; charset=latin1']);
  return { ...draft, text, headers: { ...draft.headers, 'Content-Type': type } };
};

export const requestKinds: Readonly<Record<string, { share: number; make: Kind }>> = {
  'paging, sorting, filters': { share: 240, make: paging },
  'operator in a query': { share: 300, make: operatorInQuery },
  'operator in a path': { share: 300, make: operatorInPath },
  'repeated parameters': { share: 96, make: repeatedParameters },
  'unknown parameters': { share: 100, make: unknownParameters },
  'odd text in a query': { share: 300, make: oddTextInQuery },
  'objects of others': { share: 260, make: foreignObjects },
  'routes of administrators': { share: 60, make: adminRoutes },
  'identity and proxy headers': { share: 180, make: identityHeaders },
  'idempotency keys': { share: 60, make: idempotencyKeys },
  'conditional requests': { share: 60, make: conditions },
  uploads: { share: 120, make: uploads },
};
