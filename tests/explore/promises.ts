import { createEventStore } from '../../order-service/src/events/eventStore.ts';
import { createCommitModel } from '../../order-service/src/models/commit.ts';
import { createOrderViewModel } from '../../order-service/src/models/orderView.ts';
import { createSagaModel } from '../../order-service/src/models/saga.ts';
import { auditShopUseCase } from '../../order-service/src/services/auditShop.ts';
import { auditSources } from '../../order-service/src/services/ports.ts';
import type { Placed } from './client.ts';
import { type ServiceKind, settle, type World } from './world.ts';

/** Nothing is left to do anywhere: sagas done, everything published, heard and settled. */
export async function isAtRest(world: World): Promise<boolean> {
  if (world.bus.pending() > 0) return false;
  // A frozen process still has its request to answer.
  const all = (['order', 'inventory', 'payment'] as const).flatMap(kind => world.instances(kind));
  if (all.some(one => world.scheduler.isFrozen(one.name))) return false;
  const known = atRest.get(world);
  if (known?.changes === world.database.changes()) return known.isAtRest;
  const db = (kind: ServiceKind) => world.look(kind).db!;
  const unfinished = [
    () => db('order').collection('sagas').findOne({ status: 'running' }),
    () => db('order').collection('events').findOne({ pending: true }),
    () =>
      db('inventory')
        .collection('stock')
        .findOne({ $or: [outbox, { 'holds.0': { $exists: true } }] }),
    () =>
      db('payment')
        .collection('payments')
        .findOne({ $or: [outbox, { dueAt: { $exists: true } }] }),
  ];
  let isAtRest = true;
  for (const find of unfinished) isAtRest &&= (await find()) === null;
  atRest.set(world, { changes: world.database.changes(), isAtRest });
  return isAtRest;
}

const outbox = { 'outbox.0': { $exists: true } };
/** What was found when the data were last looked at. */
const atRest = new WeakMap<World, { changes: number; isAtRest: boolean }>();

/** Events of which others are told. */
const told = new Set<string>(['OrderCreated', 'OrderConfirmed', 'OrderCancelled']);

/** Every promise about orders, money and stock. */
export async function check(world: World, placed: readonly Placed[], stock: Record<string, number>): Promise<string[]> {
  const violations: string[] = [];
  const connection = world.look('order');
  const [commits, sagas, views] = [
    createCommitModel(connection),
    createSagaModel(connection),
    createOrderViewModel(connection),
  ];
  const eventStore = createEventStore(
    commits,
    () => new Date(world.time.now()),
    () => 'unused',
  );
  const client = (service: string) => world.network.client('auditor', service);
  const audit = auditShopUseCase({
    ...{ eventStore, commits, sagas, views, pause: async () => {}, clock: () => new Date(world.time.now()) },
    sources: auditSources(client('inventory-service'), client('payment-service')),
  });
  let report: Awaited<ReturnType<typeof audit>> | undefined;
  let failed: unknown;
  audit({ patienceMs: 0 }).then(
    value => {
      report = value;
    },
    error => {
      failed = error;
    },
  );
  await settle(world, async () => report !== undefined || failed !== undefined);
  if (failed) throw failed;
  violations.push(...report!.findings.map(one => `audit: ${one.check} ${one.id} ${one.detail}`));
  for await (const { orderId, events } of eventStore.readAll()) {
    const unheard = events.filter(one => told.has(one.type) && !world.bus.published.has(`${orderId}:${one.version}`));
    violations.push(...unheard.map(one => `${one.type} of ${orderId} was never published`));
  }
  for (const one of placed) {
    if (!one.answer) violations.push(`${one.key}: never answered`);
    const orders = await views.find({ userId: one.user.id }).lean();
    if (orders.length > 1) violations.push(`${one.key}: ${orders.length} orders`);
    const status = orders[0]?.status;
    if (one.answer && 'status' in one.answer && status !== 'confirmed' && status !== 'cancelled')
      violations.push(`${one.key}: 201 and ${status}`);
    if (one.answer && 'error' in one.answer && status !== undefined && status !== 'cancelled')
      violations.push(`${one.key}: refused and ${status}`);
  }
  const inventory = world.look('inventory');
  for (const [id, opened] of Object.entries(stock)) {
    const row = await inventory.db!.collection('stock').findOne({ _id: id } as never);
    const bought = (await views.find({ status: 'confirmed' }).lean())
      .flatMap(one => one.lines)
      .filter(line => line.productId === id);
    const sold = bought.reduce((sum, line) => sum + line.quantity, 0);
    if (row?.onHand !== opened - sold)
      violations.push(`stock of ${id} is ${row?.onHand} of ${opened}, and ${sold} were sold`);
  }
  return violations;
}
