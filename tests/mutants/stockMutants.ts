import { explored, type Mutant, money, type Suite, saga, stock } from './mutant.ts';

const commands = 'inventory-service/src/domain/commands.ts';
const drain = 'inventory-service/src/services/drainLedger.ts';
const schedules: readonly Suite[] = [stock, saga, money, explored];

/** Bugs of the stock and its ledger. */
export const stockMutants: readonly Mutant[] = [
  {
    name: 'C: every hold of an order has the same id',
    file: 'inventory-service/src/services/reserveStock.ts',
    find: 'holdId: newId(), expiresAt',
    replace: 'holdId: orderId, expiresAt',
    suites: schedules,
  },
  {
    name: 'C: commit takes whatever hold the order has, pinned or not',
    file: commands,
    find: 'hold.id === holdId && hold.orderId === orderId && hold.pinned)',
    replace: 'hold.orderId === orderId)',
    suites: schedules,
  },
  {
    name: 'C: pin takes whatever hold the order has',
    file: commands,
    find: 'const named = (hold: Hold) => hold.id === holdId && hold.orderId === orderId;',
    replace: 'const named = (hold: Hold) => hold.orderId === orderId;',
    suites: schedules,
  },
  {
    name: 'D: release that finds a hold gives back nothing that was sold',
    file: commands,
    find: 'for (const { orderId: buyer, holdId, quantity, type } of history) {',
    replace: 'for (const { orderId: buyer, holdId, quantity, type } of ended.length > 0 ? [] : history) {',
    suites: schedules,
  },
  {
    name: 'D: release gives back nothing that was sold',
    file: commands,
    find: "if (type !== 'commit' || buyer !== orderId || returned.has(holdId)) continue;",
    replace: 'if (type) continue;',
    suites: schedules,
  },
  {
    name: 'I: a sold piece comes back at each release',
    file: commands,
    find: "if (type !== 'commit' || buyer !== orderId || returned.has(holdId)) continue;",
    replace: "if (type !== 'commit' || buyer !== orderId) continue;",
    suites: schedules,
  },
  {
    name: 'I: read, change, save: stock is written without looking at its revision',
    file: 'inventory-service/src/services/stockWriter.ts',
    find: 'const one = { filter: { _id, revision, drained }, update: plan.update };',
    replace: 'const one = { filter: { _id }, update: plan.update };',
    suites: schedules,
  },
  {
    name: 'I: a release knows only the movements that are not in the ledger yet',
    file: 'inventory-service/src/services/stockWriter.ts',
    find: 'return [...document.movements, ...rows.map(movementOf)];',
    replace: 'return document.movements;',
    suites: schedules,
  },
  {
    name: 'J: the audit of orders reads the ledger before the document',
    file: 'inventory-service/src/services/auditStock.ts',
    find: `const documents = await stocks
        .find({ _id: { $in: productIds } }, { holds: 1, movements: 1 })
        .lean<StockDocument[]>();
      const orderIds = orders.map(({ orderId }) => orderId);
      const entries = await ledger.find({ orderId: { $in: orderIds }, productId: { $in: productIds } }).lean();
`,
    replace: `const orderIds = orders.map(({ orderId }) => orderId);
      const entries = await ledger.find({ orderId: { $in: orderIds }, productId: { $in: productIds } }).lean();
      const documents = await stocks
        .find({ _id: { $in: productIds } }, { holds: 1, movements: 1 })
        .lean<StockDocument[]>();
`,
    suites: schedules,
  },
  {
    name: 'J: the audit of products counts twice what is in both places',
    file: 'inventory-service/src/services/auditStock.ts',
    find: '{ $match: { productId, seq: numbers, _id: { $nin: elsewhere } } },',
    replace: '{ $match: { productId, seq: numbers } },',
    suites: schedules,
  },
  {
    name: 'movements leave the document before the ledger has them',
    file: drain,
    find: "await failpoint('inventory.drain.beforeLedger');",
    replace:
      "await stocks.bulkWrite(found.map(pullOf), { ordered: false });\n    await failpoint('inventory.drain.beforeLedger');",
    suites: schedules,
  },
  {
    name: 'L: the ledger is told of movements that a killed server forgets',
    file: drain,
    find: 'await stocks.updateMany(those, { $inc: { drainClaims: 1 } });',
    replace: '',
    suites: ['inventory-service/src/services/durableAnswers.int.test.ts'],
  },
  {
    name: 'a group of updates of which not all matched counts as done',
    file: 'shared/groupedUpdates.ts',
    find: 'const matched = matchedCount === group.length || (group.length === 1 ? false : undefined);',
    replace: 'const matched = matchedCount === group.length || group.length > 1;',
    suites: [...schedules, 'shared/groupedUpdates.int.test.ts'],
  },
];
