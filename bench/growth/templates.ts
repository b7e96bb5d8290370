import { setTimeout as sleep } from 'node:timers/promises';
import { databaseUri } from '@tradepost/local/infrastructure';
import { newId } from '@tradepost/shared/ids';
import { createConnection } from '@tradepost/shared/mongo';
import { createSagaModel } from '../../order-service/src/models/saga.ts';
import { createSagaStore } from '../../order-service/src/sagas/sagaStore.ts';
import type { BenchShop } from '../shop.ts';
import { type Copier, createCopier, type Write } from './copier.ts';
import type { Databases, Row } from './databases.ts';
import { difference, groupByIds, type Placed, settledSnapshot } from './snapshot.ts';

/** A document that an order leaves. */
export interface TemplateRow {
  /** `<service>/<collection>` */
  name: string;
  write: Write;
  /** The same once the order's Idempotency-Key is forgotten. */
  writeAged: Write;
  /** Milliseconds after which the database deletes it. */
  lifeMs: number;
}

/** An order that the shop has really taken, with every document that it left, ready to be copied. */
export interface Template {
  kind: Kind;
  copier: Copier;
  /** Where the id of its buyer stands among the copier's ids. */
  buyer: number;
  rows: TemplateRow[];
  /** When it was placed, in milliseconds since the epoch. */
  at: number;
}

export interface Templates {
  orders: Template[];
  /** The buyer's account. */
  account: Row;
}

type Kind = 'delivered' | 'shipped' | 'confirmed' | 'cancelled' | 'refunded' | 'declined';

/** How many of forty orders ended how; made up, as is the number of lines. */
const kinds: readonly Kind[] = [
  ...Array<Kind>(28).fill('delivered'),
  ...Array<Kind>(4).fill('confirmed'),
  ...Array<Kind>(2).fill('shipped'),
  ...Array<Kind>(3).fill('cancelled'),
  ...Array<Kind>(2).fill('declined'),
  'refunded',
];
const lineCounts = [1, 1, 1, 2, 1, 2, 1, 3];

/** Documents that orders change and do not leave: the generator writes what all orders together have made of them. */
const standing = ['inventory-service/stock', 'product-service/products'];

export const customerPassword = 'a long enough password';

export interface TemplateOptions {
  shop: Pick<BenchShop, 'send' | 'adminToken'>;
  databases: Databases;
  mongodbUri: string;
  /** Uniform in [0, 1). */
  random: () => number;
}

/**
 * Has a shop take orders of every kind and looks up what each of them left in the databases. So copies are made of
 * whatever the services of this version write, without a word here about what that is.
 * @throws Error when orders left or changed something that cannot be copied
 */
export async function makeTemplates(options: TemplateOptions): Promise<Templates> {
  const { shop, databases, random } = options;
  const email = `template-${newId()}@example.com`;
  const { user, accessToken } = (
    await shop.send('POST', '/api/users/register', { body: { email, password: customerPassword, name: 'Ada' } })
  ).body;
  const before = await settledSnapshot(databases);
  const common = new Set([...before.values()].flatMap(rows => [...rows.keys()]));
  const placed = await placeAll(options, accessToken);
  const after = await settledSnapshot(databases);
  const { added, changed } = difference(before, after);
  const unknown = changed.filter(name => !standing.includes(name));
  if (unknown.length > 0) throw new Error(`orders change ${unknown.join(', ')}, which copies of orders would not`);
  const { groups, left } = groupByIds(
    added,
    placed.map(({ id }) => id),
    id => common.has(id),
  );
  const lives = await lifetimes(databases);
  const stray = left.filter(({ name }) => !lives.has(name) && !name.endsWith('/sessions'));
  if (stray.length > 0) throw new Error(`no order can be told for ${stray.map(({ name }) => name).join(', ')}`);
  const aged = await forgetKeys(options);
  const orders = groups.map((group, nth): Template => {
    const { kind = 'confirmed', id = '' } = placed[nth] ?? {};
    const copier = createCopier(other => other !== user.id && common.has(other), random);
    const rows = group.sort(bySequence).map(({ name, row }): TemplateRow => {
      const [write, later] = [copier.compile(row), name === 'order-service/sagas' && aged.get(row._id)];
      const lifeMs = lives.get(name) ?? Number.POSITIVE_INFINITY;
      return { name, write, writeAged: later ? copier.compile(later) : write, lifeMs };
    });
    const at = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    return { kind, copier, buyer: copier.ids.indexOf(user.id), rows, at };
  });
  const account = after.get('user-service/users')?.get(user.id);
  if (!account) throw new Error('the buyer has no account');
  return { orders, account };
}

/** Movements in the order in which they happened. */
const bySequence = (a: Placed, b: Placed): number => (a.row.seq ?? 0) - (b.row.seq ?? 0);

async function placeAll(options: TemplateOptions, token: string): Promise<{ id: string; kind: Kind }[]> {
  const { shop, random } = options;
  const admin = await shop.adminToken();
  const listed: { id: string }[] = (await shop.send('GET', '/api/products?limit=100')).body.items;
  const act = async (id: string, action: string, body: unknown): Promise<void> => {
    const { status } = await shop.send('POST', `/api/orders/${id}/${action}`, { token: admin, body });
    if (status !== 200) throw new Error(`${action} of an order was answered by ${status}`);
  };
  const placed: { id: string; kind: Kind }[] = [];
  for (const [nth, kind] of kinds.entries()) {
    const first = Math.floor(random() * listed.length);
    const items = Array.from({ length: lineCounts[nth % lineCounts.length] ?? 1 }, (_, line) => ({
      productId: listed[(first + line) % listed.length]?.id,
      quantity: 1 + Math.floor(random() * 3),
    }));
    const id = await placeToEnd(options, token, {
      items,
      shippingAddress: { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' },
      payment: { token: kind === 'declined' ? 'tok_declined' : 'tok_visa' },
    });
    if (kind === 'delivered' || kind === 'shipped') {
      await act(id, 'ship', { carrier: 'Post', trackingNumber: `RN${nth}` });
    }
    if (kind === 'delivered') await act(id, 'deliver', {});
    if (kind === 'cancelled') await act(id, 'cancel', {});
    if (kind === 'refunded') await act(id, 'refund', { amount: 100, reason: 'torn' });
    placed.push({ id, kind });
  }
  return placed;
}

const orderLimitMs = 60_000;

/** Places an order and repeats it under its key until it is decided, however slow the machine is. @returns its id */
async function placeToEnd({ shop }: TemplateOptions, token: string, body: object): Promise<string> {
  const headers = { 'Idempotency-Key': newId() };
  for (const until = performance.now() + orderLimitMs; ; await sleep(200)) {
    const answer = await shop.send('POST', '/api/orders', { token, headers, body });
    if (answer.status === 201) return answer.body.id;
    if (answer.body.code === 'payment_declined') return answer.body.orderId;
    if (performance.now() > until) throw new Error(`an order was answered by ${answer.status} ${answer.body.code}`);
  }
}

/** How long documents live, in milliseconds, by collection; those that live for ever are left out. */
async function lifetimes(databases: Databases): Promise<Map<string, number>> {
  const lives = new Map<string, number>();
  for (const name of await databases.names()) {
    for (const { expireAfterSeconds: seconds } of await databases.collection(name).indexes())
      if (seconds !== undefined) lives.set(name, seconds * 1_000);
  }
  return lives;
}

const dayMs = 86_400_000;

/** Has the service forget the keys as it does after a day. @returns the documents then, by order */
async function forgetKeys({ databases, mongodbUri }: TemplateOptions): Promise<Map<string, Row>> {
  const connection = await createConnection(databaseUri(mongodbUri, 'order-service')).asPromise();
  try {
    const later = () => new Date(Date.now() + dayMs + 60_000);
    await createSagaStore(createSagaModel(connection), later, 0).expireKeys();
    const rows = await databases.collection('order-service/sagas').find().toArray();
    return new Map(rows.map(row => [row._id, row]));
  } finally {
    await connection.close();
  }
}
