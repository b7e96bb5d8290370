import { explored, type Mutant, money, type Suite, saga, stock } from './mutant.ts';

const steps = 'order-service/src/sagas/createOrderSaga.ts';
const sagaStore = 'order-service/src/sagas/sagaStore.ts';
const relay = 'order-service/src/events/relay.ts';
const createOrder = 'order-service/src/services/createOrder.ts';
const schedules: readonly Suite[] = [saga, money, stock, explored];

/** Bugs of the order, its saga, its stream and its view. */
export const orderMutants: readonly Mutant[] = [
  {
    name: 'A: nobody resumes an order whose process was killed',
    file: sagaStore,
    find: 'nextRunAt: refused ? free : until(now),\n        attempts: 0',
    replace: 'nextRunAt: refused ? free : new Date(8.64e15),\n        attempts: 0',
    suites: schedules,
  },
  {
    name: 'A: no process looks for orders that nobody works on',
    file: 'order-service/src/sagas/sagaWorker.ts',
    find: 'for (const saga of await sagaStore.due(concurrency - active)) void resume(saga);',
    replace: '',
    suites: schedules,
  },
  {
    name: 'B: a hold that is gone is undone before the stream has decided',
    file: steps,
    find: "    if (!isAppError(error, 'hold_gone')) throw error;\n",
    replace:
      "    if (!isAppError(error, 'hold_gone')) throw error;\n    await work.inventory.release(orderId, productIdsOf(order));\n",
    suites: schedules,
  },
  {
    name: 'B: a timeout of the charge counts as a no',
    file: steps,
    find: "if (isAppError(error, 'charge_refused'))",
    replace:
      "if (isAppError(error, 'upstream_timeout')) return { next: 'record', command: { type: 'RecordDecline', reason: 'timeout' } };\n    if (isAppError(error, 'charge_refused'))",
    suites: schedules,
  },
  {
    name: 'C: a charge without a pin',
    file: steps,
    find: 'await work.inventory.pin(orderId, order.holds ?? []);',
    replace: '',
    suites: schedules,
  },
  {
    name: 'E: a capture is recorded after the order was cancelled',
    file: 'order-service/src/domain/decide.ts',
    find: "requireStatus(order, ['pending'], 'confirmed');",
    replace: "requireStatus(order, ['pending', 'cancelled'], 'confirmed');",
    suites: ['order-service/src/domain/moves.unit.test.ts'],
  },
  {
    name: 'F: the saga records the refund under an id of its own',
    file: 'order-service/src/services/ports.ts',
    find: 'refundId: body.refund.refundId, amount: body.refund.amount.amount }',
    replace: "refundId: 'saga-' + body.refund.refundId, amount: body.refund.amount.amount }",
    suites: schedules,
  },
  {
    name: 'G: the message that a reservation expired cancels the order',
    file: 'order-service/src/app.ts',
    find: 'wake: orderId => wakeSaga({ _id: orderId }, true),',
    replace:
      "wake: orderId => commandOrder(orderId, () => ({ type: 'Cancel', cause: 'hold_gone', reason: 'hold_gone' })),",
    suites: schedules,
  },
  {
    name: 'H: done although somebody woke the saga',
    file: sagaStore,
    find: '{ ...keyOf(lease), fence: lease.fence, wake: lease.wake },',
    replace: '{ ...keyOf(lease), fence: lease.fence },',
    suites: schedules,
  },
  {
    name: 'H: the relay does not wake the saga of a cancelled order',
    file: relay,
    find: "if (events.some(event => event.type === 'OrderCancelled')) await dependencies.wakeSaga(saga);",
    replace: '',
    suites: schedules,
  },
  {
    name: 'K: a 5xx frees the key while its order lives',
    file: createOrder,
    find: 'return finish(lease, dependencies, []);',
    replace: `return finish(lease, dependencies, []).catch(async (error: unknown) => {
      if (!isAppError(error) || error.status >= 500) await sagaStore.erase(request.userId);
      throw error;
    });`,
    suites: schedules,
  },
  {
    name: 'K: a key is free as long as its order is not decided',
    file: createOrder,
    find: 'if (begun) return resume(begun, print, dependencies);',
    replace:
      "if (begun && begun.status !== 'running') return resume(begun, print, dependencies);\n    if (begun) await sagaStore.erase(request.userId);",
    suites: schedules,
  },
  {
    name: 'L: the stream is acted on without making sure of it',
    file: 'order-service/src/events/eventStore.ts',
    find: '.findOneAndUpdate({ orderId }, { $inc: { seen: 1 } }, { sort: { version: -1 } })',
    replace: '.findOne({ orderId }, {}, { sort: { version: -1 } })',
    suites: schedules,
  },
  {
    name: 'L: events are acknowledged before they are durable',
    file: 'order-service/src/events/eventStore.ts',
    find: 'await commits.collection.insertOne(commit as never);',
    replace: 'await commits.collection.insertOne(commit as never, { writeConcern: { w: 1, journal: false } });',
    suites: schedules,
  },
  {
    name: 'M: the relay does not write the view',
    file: relay,
    find: '  await confirmView(orderId, order);\n',
    replace: '',
    suites: schedules,
  },
  {
    name: 'M: the relay marks before the bus has taken the messages',
    file: relay,
    find: '    for (const event of events) {\n',
    replace:
      '    await commits.updateOne({ _id: commit._id }, { $unset: { pending: 1, claim: 1 } });\n    for (const event of events) {\n',
    suites: schedules,
  },
  {
    name: 'the relay publishes past a commit that another one holds',
    file: relay,
    find: 'return await publishOrder(orderId, withoutGap(ofOrder), dependencies);',
    replace: 'return await publishOrder(orderId, ofOrder.toSorted((a, b) => a.version - b.version), dependencies);',
    suites: ['order-service/src/events/relay.int.test.ts'],
  },
  {
    name: 'two writers of one version',
    file: 'order-service/src/models/commit.ts',
    find: 'commitSchema.index({ orderId: 1, version: 1 }, { unique: true });',
    replace: 'commitSchema.index({ orderId: 1, version: 1 });',
    suites: schedules,
  },
];
