import type { Mutant } from './mutant.ts';

const outbox = ['shared/messaging/outbox.int.test.ts'] as const;

/** Bugs of what carries messages and keeps documents. */
export const messageMutants: readonly Mutant[] = [
  {
    name: 'N: the inbox row comes before the effect',
    file: 'shared/messaging/inbox.ts',
    find: '      await effect();\n      try {\n        await model.collection.insertOne({ _id, at: clock() } as never);\n',
    replace:
      '      try {\n        await model.collection.insertOne({ _id, at: clock() } as never);\n        await effect();\n',
    suites: ['shared/messaging/inbox.int.test.ts'],
  },
  {
    name: 'the outbox removes messages before the bus has taken them',
    file: 'shared/messaging/outbox.ts',
    find: 'const settled = await Promise.all(claimed.map(publishDocument));',
    replace: `const taken = claimed.map(({ _id, messages }) => ({ _id, published: messages.map(message => message.id) }));
      await source.settle(by, taken);
      const settled = await Promise.all(claimed.map(publishDocument));`,
    suites: outbox,
  },
  {
    name: 'the outbox removes more than was published',
    file: 'shared/messaging/outboxDocuments.ts',
    find: '{ $pull: { outbox: { id: { $in: ids } } } }',
    replace: "{ $pull: { outbox: { id: { $gt: '' } } } }",
    suites: outbox,
  },
  {
    name: 'the outbox publishes what another relay has claimed',
    file: 'shared/messaging/outboxDocuments.ts',
    find: 'updateOne: { filter: { _id, ...free(), ...still(outbox) }, update }',
    replace: 'updateOne: { filter: { _id, ...still(outbox) }, update }',
    suites: outbox,
  },
  {
    name: 'the bus forgets a message before its handler is done',
    file: 'local/bus/localQueue.ts',
    find: ': await consumer.pool.run(() => consumer.attempt(message.body, message.failures));',
    replace: `: ({ kind: 'done' } as const);
      void consumer.pool.run(() => consumer.attempt(message.body, message.failures));`,
    suites: ['local/bus/localBus.int.test.ts'],
  },
  {
    name: 'the document store answers before it has committed',
    file: 'local/store/wire/turns.ts',
    find: '    else failure = attempt(() => transaction.commit());',
    replace: `    else {
      for (const job of jobs.slice(0, ran)) job.done();
      failure = attempt(() => transaction.commit());
    }`,
    suites: ['local/store/wire/turns.unit.test.ts'],
  },
];
