import type { Mutant } from './mutant.ts';

const [messages, events, orders] = [
  'shared/messaging/message.unit.test.ts',
  'local/asyncapi/eventSchemas.unit.test.ts',
  'order-service/src/laterRelease.int.test.ts',
] as const;

/** Bugs that show when instances of two releases work side by side. */
export const releaseMutants: readonly Mutant[] = [
  {
    name: 'what is new is written at once',
    file: 'shared/schemaVersions.ts',
    find: 'return version - (before.length - 1 - before.findLastIndex(older => !older.down));',
    replace: 'return before.length < 0 ? 0 : version;',
    suites: [messages],
  },
  {
    name: 'a message of a later release is a dead letter at once',
    file: 'shared/messaging/message.ts',
    find: 'throw new NewerMessageError(`',
    replace: 'throw new InvalidMessageError(`',
    suites: [messages],
  },
  {
    name: 'money in messages has no room for what a later release adds',
    file: 'shared/money.ts',
    find: 'export const receivedMoney = z.object(',
    replace: 'export const receivedMoney = z.strictObject(',
    suites: [messages],
  },
  {
    name: 'an event may lack what readers rely on',
    file: 'order-service/src/domain/events.ts',
    find: 'PaymentDeclined: { version: 1, data: z.object({ reason: z.string() }) },',
    replace: 'PaymentDeclined: { version: 1, data: z.object({ reason: z.string().optional() }) },',
    suites: [events],
  },
  {
    name: 'an event has a new version that the release before cannot read',
    file: 'order-service/src/domain/events.ts',
    find: 'PaymentDeclined: { version: 1,',
    replace: 'PaymentDeclined: { version: 2,',
    suites: [events],
  },
  {
    name: 'an order of a later release is parked',
    file: 'order-service/src/sagas/sagaRunner.ts',
    find: 'const park = !isNewer && lease',
    replace: 'const park = lease',
    suites: [orders],
  },
  {
    name: 'an instance begins to work on orders that it cannot read',
    file: 'order-service/src/events/writtenSchemas.ts',
    find: 'if (unreadable.length > 0) {',
    replace: 'if (unreadable.length > 99) {',
    suites: [orders],
  },
];
