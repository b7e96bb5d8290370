import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copyProject, plant } from '../mutants/copy.ts';
import type { Edit } from '../mutants/mutant.ts';

/** A release of the shop. */
export interface Release {
  name: string;
  /** Folder with its code. */
  root: string;
}

const wayBack = {
  message: '    down: ({ paid, lines, ...older }) => ({ ...older, total: paid }),\n',
  event: `        down: ({ total, ...older }) => {
          const { amount, currency } = total as { amount: number; currency: string };
          return { ...older, total: amount, currency };
        },
`,
};

/**
 * A changed message, `order.confirmed`, whose field `total` has another name and which has a new field; one that only has
 * more to say, `order.cancelled`; and a changed event, `OrderCreated`, whose total has its currency in it.
 */
export const changes: readonly Edit[] = [
  {
    file: 'shared/events/orders.ts',
    find: `  version: 1,
  summary: 'An order is paid and its stock is held for it.',
  data: { ...order, productIds, total: receivedMoney },
`,
    replace: `  version: 2,
  summary: 'An order is paid and its stock is held for it.',
  data: { ...order, productIds, paid: receivedMoney, lines: z.int().positive() },
  before: [{
    data: { ...order, productIds, total: receivedMoney },
    up: ({ total, ...older }) => ({ ...older, paid: total, lines: (older.productIds as string[]).length }),
${wayBack.message}  }],
`,
  },
  {
    file: 'shared/events/orders.ts',
    find: 'data: { ...order, productIds, reason: z.string() },',
    replace: 'data: { ...order, productIds, reason: z.string(), cause: z.string().optional() },',
  },
  {
    file: 'order-service/src/events/publishers.ts',
    find: 'return make(orderConfirmed, { ...base, ...bought });',
    replace: `return make(orderConfirmed, {
        ...base,
        productIds: bought.productIds,
        paid: bought.total,
        lines: order.lines.length,
      });`,
  },
  {
    file: 'order-service/src/events/publishers.ts',
    find: 'reason: event.data.reason });',
    replace: 'reason: event.data.reason, cause: event.data.cause });',
  },
  {
    file: 'order-service/src/domain/events.ts',
    find: `    version: 1,
    data: z.object({ userId: z.string(), lines: z.array(orderLine), currency: z.string(), total: z.int() }),
`,
    replace: `    version: 2,
    data: z.object({
      userId: z.string(),
      lines: z.array(orderLine),
      total: z.object({ amount: z.int(), currency: z.string() }),
    }),
    before: [
      {
        data: z.object({ userId: z.string(), lines: z.array(orderLine), currency: z.string(), total: z.int() }),
        up: ({ currency, total, ...older }) => ({ ...older, total: { amount: total, currency } }),
${wayBack.event}      },
    ],
`,
  },
  {
    file: 'order-service/src/domain/order.ts',
    find: `    return {
      ...event.data,
      status: 'pending',
`,
    replace: `    const { total, ...data } = event.data;
    return {
      ...data,
      currency: total.currency,
      total: total.amount,
      status: 'pending',
`,
  },
  {
    file: 'order-service/src/sagas/sagaRunner.ts',
    find: 'data: { userId, lines, currency, total } };',
    replace: 'data: { userId, lines, total: { amount: total, currency } } };',
  },
  {
    file: 'order-service/src/domain/testing.ts',
    find: "    currency: 'GBP',\n    total: 1000,\n",
    replace: "    total: { amount: 1000, currency: 'GBP' },\n",
  },
  {
    file: 'user-service/src/users.int.test.ts',
    find: "productIds: ['p'], total: { amount: 100, currency: 'GBP' } },",
    replace: "productIds: ['p'], paid: { amount: 100, currency: 'GBP' }, lines: 1 },",
  },
];

/** What the release after does: it writes what the one before has made readable. */
const deletions: readonly Edit[] = [
  { file: 'shared/events/orders.ts', find: wayBack.message, replace: '' },
  { file: 'order-service/src/domain/events.ts', find: wayBack.event, replace: '' },
];

const golden = {
  file: 'order-service/src/events/golden/total-with-currency.json',
  stream: {
    commits: [
      {
        version: 1,
        at: '2026-02-05T09:30:00.000Z',
        events: [
          {
            type: 'OrderCreated',
            data: {
              userId: 'u',
              lines: [{ productId: 'p', sku: 'MUG', name: 'Mug', quantity: 2, unitPrice: 450 }],
              total: { amount: 900, currency: 'GBP' },
            },
            schema: 2,
          },
        ],
      },
    ],
    order: {
      userId: 'u',
      lines: [{ productId: 'p', sku: 'MUG', name: 'Mug', quantity: 2, unitPrice: 450 }],
      currency: 'GBP',
      total: 900,
      status: 'pending',
      payment: { id: null, status: 'pending', captured: 0, refunds: {} },
      version: 1,
      createdAt: '2026-02-05T09:30:00.000Z',
      updatedAt: '2026-02-05T09:30:00.000Z',
    },
  },
};

/** The release that reads the changed event and message, and still writes them as they were. */
export async function readingRelease(): Promise<Release> {
  const root = copyProject();
  for (const edit of changes) plant(root, edit);
  writeFileSync(join(root, golden.file), JSON.stringify(golden.stream));
  await documentSchemas(root);
  return { name: 'reading', root };
}

/** The release after it, which writes them too. */
export async function writingRelease(): Promise<Release> {
  const { root } = await readingRelease();
  for (const edit of deletions) plant(root, edit);
  await documentSchemas(root);
  return { name: 'writing', root };
}

/** `npm run asyncapi`. @throws Error with what it says when it refuses */
export const documentSchemas = (root: string): Promise<string> => runIn(root, ['local/asyncapi/write.ts']);

/**
 * Runs a program of a release to its end.
 * @returns what it printed
 * @throws Error with all that it printed when it has failed
 */
export async function runIn(root: string, args: string[], environment: Record<string, string> = {}): Promise<string> {
  // Or a runner of tests would take itself for a part of this one.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const options = { cwd: root, env: { ...inherited, ...environment } };
  return promisify(execFile)(process.execPath, args, options).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => {
      throw new Error(`${args.join(' ')}:\n${stdout}\n${stderr}`);
    },
  );
}
