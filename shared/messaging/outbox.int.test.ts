import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import type { Connection, Model } from 'mongoose';
import { Registry } from 'prom-client';
import { systemClock } from '../clock.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import { createConnection, createModel, createSchema, schemaOptions } from '../mongo.ts';
import { eventually, gate, newKind, numbers, type Thing, thing } from '../testing/busSuiteTools.ts';
import { startFaultyLink } from '../testing/faultyLink.ts';
import { BusUnavailableError, type EventBus, UnroutableMessageError } from './eventBus.ts';
import type { Message } from './message.ts';
import { createOutboxRelay, type OutboxDocument, type OutboxRelayOptions, outboxFields } from './outbox.ts';

interface Carrier extends OutboxDocument {
  changes: number;
}

const schema = createSchema<Carrier>({ _id: String, changes: Number, ...outboxFields }, schemaOptions);
const openModel = (connection: Connection): Model<Carrier> =>
  createModel<Carrier>(connection, 'Carrier', schema, 'carriers');

/** A bus that notes what it took; `refuse` may throw for a message. */
function notingBus(refuse: (message: Message) => void | Promise<void> = () => {}) {
  const taken: { document: string; n: number }[] = [];
  const bus: Pick<EventBus, 'publish'> = {
    async publish(_exchange, message) {
      await refuse(message);
      taken.push({ document: message.subject, n: (message.data as { n: number }).n });
    },
  };
  return { bus, taken, of: (document: string) => taken.filter(one => one.document === document).map(one => one.n) };
}

describe('outbox relay', () => {
  let database: Awaited<ReturnType<typeof startTestDatabase>>;
  let uri: string;
  let connection: Connection;
  let model: Model<Carrier>;
  const kind: Thing = { ...newKind(), type: 'order.tested' };
  before(async () => {
    database = await startTestDatabase();
    uri = database.uri('outbox');
    connection = createConnection(uri);
    await connection.asPromise();
    model = openModel(connection);
  });
  beforeEach(() => model.deleteMany({}));
  after(async () => {
    await connection.close();
    await database.close();
  });

  const relayOf = (options: Partial<OutboxRelayOptions> & Pick<OutboxRelayOptions, 'bus'>) =>
    createOutboxRelay({
      ...{ sources: [model], clock: systemClock, newId, logger: silentLogger(), registry: new Registry(), pollMs: 20 },
      ...options,
    });

  /** Makes documents that carry messages 0 … perDocument - 1. */
  async function carry(documents: string[], perDocument: number): Promise<void> {
    await model.insertMany(
      documents.map(_id => ({
        _id,
        changes: 1,
        outbox: numbers(perDocument).map(n => thing(kind, n, { subject: _id })),
      })),
    );
  }

  const left = async () => (await model.find().lean()).flatMap(document => document.outbox.map(message => message.id));
  const names = (count: number) => numbers(count).map(n => `document-${n}`);

  test('publishes what documents carry, per document in order, and removes it', async () => {
    const { bus, taken, of } = notingBus();
    await carry(names(150), 3);
    await carry(['long'], 120);
    const relay = relayOf({ bus });
    assert.equal(await relay.depth(), 151);
    relay.start();
    await eventually(async () => (await left()).length === 0);
    assert.equal(taken.length, 150 * 3 + 120, 'each message once');
    for (const name of names(150)) assert.deepEqual(of(name), [0, 1, 2]);
    assert.deepEqual(of('long'), numbers(120));
    assert.equal(await relay.depth(), 0);
    await relay.stop();
    assert.ok(
      (await model.find().lean()).every(document => document.outboxLease === undefined && document.changes === 1),
    );
  });

  test('finds waiting documents by an index', async () => {
    const relay = relayOf({ bus: notingBus().bus });
    relay.start();
    await eventually(async () =>
      (await model.collection.listIndexes().toArray()).some(index => 'outbox.id' in index.key),
    );
    await relay.stop();
    const explained = await model.collection.find({ 'outbox.id': { $gt: '' } }).explain('queryPlanner');
    assert.match(JSON.stringify(explained), /IXSCAN/);
    assert.doesNotMatch(JSON.stringify(explained), /COLLSCAN/);
  });

  test('wakes at once, also for what comes while it works', async () => {
    const { bus, taken } = notingBus();
    const relay = relayOf({ bus, pollMs: 3_600_000 });
    relay.start();
    for (const name of names(20)) {
      await carry([name], 1);
      relay.wake();
      relay.wake();
    }
    await eventually(
      () => taken.length === 20,
      () => taken.length,
    );
    await relay.stop();
  });

  test('several relays share the work and each message goes out once', async () => {
    const { bus, taken, of } = notingBus(() => new Promise(resolve => setImmediate(resolve)));
    await carry(names(200), 4);
    const relays = numbers(3).map(() => relayOf({ bus }));
    for (const relay of relays) relay.start();
    await eventually(async () => (await left()).length === 0);
    await Promise.all(relays.map(relay => relay.stop()));
    assert.equal(taken.length, 800);
    for (const name of names(200)) assert.deepEqual(of(name), [0, 1, 2, 3]);
  });

  test('while the bus is away nothing is removed; afterwards everything is published', async () => {
    let away = true;
    let tries = 0;
    const { bus, of } = notingBus(() => {
      tries += 1;
      if (away) throw new BusUnavailableError('away');
    });
    await carry(names(30), 2);
    const relay = relayOf({ bus });
    relay.start();
    await eventually(() => tries > 0);
    const before = (await left()).length;
    assert.equal(before, 60);
    for (const _ of numbers(50)) relay.wake();
    away = false;
    await eventually(async () => (await left()).length === 0);
    for (const name of names(30)) assert.deepEqual(of(name), [0, 1]);
    await relay.stop();
  });

  test('after a failure in the middle only the confirmed head is removed, and the rest comes again in order', async () => {
    let failing = true;
    const { bus, of } = notingBus(message => {
      if (failing && (message.data as { n: number }).n === 2) {
        failing = false;
        throw new BusUnavailableError('not confirmed');
      }
    });
    await carry(['a'], 5);
    const relay = relayOf({ bus });
    relay.start();
    await eventually(async () => (await left()).length === 0);
    await relay.stop();
    assert.deepEqual(of('a'), [0, 1, 3, 4, 2, 3, 4]);
  });

  test('a document whose message is refused waits and holds up no other', async () => {
    let repaired = false;
    const { bus, of } = notingBus(message => {
      if (message.subject === 'bad' && (message.data as { n: number }).n === 1 && !repaired) {
        throw new UnroutableMessageError('binding is gone');
      }
    });
    const registry = new Registry();
    await carry(['bad', ...names(40)], 3);
    await model.updateOne({ _id: 'document-0' }, { $push: { outbox: thing({ ...kind, type: 'odd.type' }, 9) } });
    const relay = relayOf({ bus, registry });
    relay.start();
    await eventually(async () => (await relay.depth()) === 2 && of('bad').includes(0));
    for (const name of names(40)) assert.deepEqual(of(name).slice(0, 3), [0, 1, 2]);
    const metrics = await registry.metrics();
    assert.match(metrics, /^outbox_depth 2$/m);
    assert.match(metrics, /^outbox_refused_total [1-9]/m);
    assert.match(metrics, /^outbox_published_total 121$/m);
    assert.match(metrics, /^outbox_age_seconds [0-9]/m);
    repaired = true;
    await eventually(async () => (await relay.depth()) === 1);
    assert.deepEqual([...new Set(of('bad'))].sort(), [0, 1, 2]);
    await relay.stop();
  });

  test('what is pushed while its document is being published goes out too', async () => {
    const [hold, publishing] = [gate(), gate()];
    const { bus, of } = notingBus(() => {
      publishing.open();
      return hold.opened;
    });
    await carry(['hot'], 2);
    const relay = relayOf({ bus });
    relay.start();
    await publishing.opened;
    const more = numbers(40).map(n => thing(kind, n + 2, { subject: 'hot' }));
    for (const message of more)
      await model.updateOne({ _id: 'hot' }, { $push: { outbox: message }, $inc: { changes: 1 } });
    hold.open();
    await eventually(async () => (await left()).length === 0);
    assert.deepEqual(of('hot'), numbers(42));
    assert.equal((await model.findById('hot').lean())?.changes, 41);
    await relay.stop();
  });

  test('another relay takes over from one that hangs, when its lease has lapsed', async () => {
    let now = Date.now();
    const clock = () => new Date(now);
    const hold = gate();
    const hanging = notingBus(() => hold.opened);
    const working = notingBus();
    await carry(['a'], 3);
    const first = relayOf({ bus: hanging.bus, clock });
    first.start();
    await eventually(async () => (await model.findById('a').lean())?.outboxLease !== undefined);
    const second = relayOf({ bus: working.bus, clock });
    second.start();
    await second.stop();
    assert.deepEqual(working.taken, []);
    now += 30_000;
    second.start();
    await eventually(() => working.taken.length === 3);
    hold.open();
    await Promise.all([first.stop(), second.stop()]);
    assert.deepEqual(await left(), []);
  });

  test('a database lost between publishing and removing: published again, never lost', async () => {
    const real = new URL(uri);
    const link = await startFaultyLink({ host: real.hostname, port: Number(real.port) });
    real.port = String(link.port);
    const cut = createConnection(real.href);
    await cut.asPromise();
    let first = true;
    const { bus, of } = notingBus(() => {
      if (first) link.cut();
      first = false;
    });
    await carry(['a'], 2);
    const relay = relayOf({ bus, sources: [openModel(cut)], leaseMs: 200 });
    relay.start();
    await eventually(() => of('a').length === 2);
    assert.equal((await left()).length, 2);
    link.mend();
    await eventually(
      async () => (await left()).length === 0,
      () => of('a'),
    );
    await relay.stop();
    assert.deepEqual(of('a'), [0, 1, 0, 1]);
    await cut.close();
    await link.close();
  });
});
