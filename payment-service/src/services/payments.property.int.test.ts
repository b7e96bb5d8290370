import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import fc from 'fast-check';
import { paymentFailpoints } from '../domain/failpoints.ts';
import { type Bench, type BenchOptions, createBench, Killed, testConnection } from '../payments.testing.ts';
import { ProviderError } from '../providers/provider.ts';
import { cancelForMessage } from './cancelPayment.ts';

const price = 1_000;

type Command =
  | { type: 'charge'; token: string }
  | { type: 'cancel' }
  | { type: 'message' }
  | { type: 'refund'; id: string; amount: number | undefined }
  | { type: 'sweep' };

/** What was done to an order and what came of it: the whole of payments in one object, without a store or a network. */
interface Model {
  status: 'none' | 'void' | 'captured' | 'declined';
  cancelled: boolean;
  refunds: ReadonlyMap<string, number>;
}

const given = (model: Model) => [...model.refunds.values()].reduce((sum, amount) => sum + amount, 0);
const left = (model: Model) => (model.status === 'captured' ? price : 0) - given(model);

/** The model after a command, and the answer to it. */
function apply(model: Model, command: Command): [Model, string] {
  switch (command.type) {
    case 'charge': {
      const declines = command.token === 'tok_declined';
      const next =
        model.status === 'none' ? ({ ...model, status: declines ? 'declined' : 'captured' } as Model) : model;
      if (next.status === 'declined') return [next, 'payment_declined'];
      const refused = next.status === 'void' || next.cancelled || next.refunds.size > 0;
      return [next, refused ? 'charge_refused' : 'captured'];
    }
    case 'cancel':
    case 'message': {
      if (model.status === 'none') return [{ ...model, status: 'void', cancelled: true }, 'nothing'];
      const rest = left(model);
      const refunds = rest > 0 ? new Map([...model.refunds, ['cancel', rest]]) : model.refunds;
      const back = refunds.get('cancel');
      return [{ ...model, cancelled: true, refunds }, back === undefined ? 'nothing' : `refunded ${back}`];
    }
    case 'refund': {
      if (model.status === 'none') return [model, 'not_found'];
      const known = model.refunds.get(command.id);
      if (known !== undefined) {
        const same = command.amount === undefined || command.amount === known;
        return [model, same ? `refunded ${known}` : 'idempotency_key_reused'];
      }
      const amount = command.amount ?? left(model);
      if (amount === 0 || amount > left(model)) return [model, 'refund_exceeds_capture'];
      return [{ ...model, refunds: new Map([...model.refunds, [command.id, amount]]) }, `refunded ${amount}`];
    }
    case 'sweep':
      return [model, 'nothing'];
  }
}

/** Does a command for real; the answer in the words of the model. */
async function act(bench: Bench, orderId: string, command: Command): Promise<string> {
  try {
    switch (command.type) {
      case 'charge':
        await bench.charge(orderId, command.token, price);
        return 'captured';
      case 'cancel': {
        const { refund } = await bench.cancel(orderId);
        return refund ? `refunded ${refund.amount.amount}` : 'nothing';
      }
      case 'message':
        await cancelForMessage(bench.tools, orderId);
        return 'heard';
      case 'refund': {
        const { amount } = await bench.refund(orderId, `${orderId}-${command.id}`, command.amount);
        return `refunded ${amount.amount}`;
      }
      case 'sweep':
        bench.pass(20_000);
        await bench.sweep();
        return 'nothing';
    }
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

/** What our document says, in the words of the model; the provider's books must say the same. */
async function real(bench: Bench, orderId: string): Promise<Model> {
  const payment = await bench.read(orderId);
  assert.notEqual(payment?.status, 'pending', 'the provider has answered');
  assert.deepEqual(await bench.ours(orderId), await bench.books(orderId), 'both books agree');
  const entries = payment?.status === 'captured' ? payment.refunds : [];
  assert.ok(entries.every(refund => refund.state === 'done'));
  const name = (id: string) => (id.startsWith('cancel:') ? 'cancel' : id.slice(orderId.length + 1));
  return {
    status: (payment?.status ?? 'none') as Model['status'],
    cancelled: payment?.cancelling ?? false,
    refunds: new Map(entries.map(refund => [name(refund.id), refund.amount])),
  };
}

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('tok_visa', 'tok_visa', 'tok_flaky', 'tok_declined')
      .map(token => ({ type: 'charge' as const, token })),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'cancel' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'message' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('refund' as const),
      id: fc.constantFrom('a', 'b', 'c'),
      amount: fc.option(fc.integer({ min: 1, max: price + 1 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'sweep' as const }) },
);
const point = fc.constantFrom(...paymentFailpoints.filter(name => !/webhook|publish/.test(name)));

const providers: [string, BenchOptions][] = [
  ['that can cancel', {}],
  ['that can only be asked again', { provider: ({ cancel: _, ...provider }) => provider }],
];

/** fast-check's parameters with a seed that is printed. */
function parameters(context: { diagnostic(text: string): void }, numRuns: number) {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  context.diagnostic(`seed ${seed}, ${numRuns} runs`);
  return { seed, numRuns };
}

for (const [kind, options] of providers) {
  describe(`any payment, at a provider ${kind}`, () => {
    test('answers as a plain model does, though calls are killed and repeated', async context => {
      const bench = await createBench(await testConnection(context), options);
      const step = fc.record({
        command,
        killAt: fc.option(point, { nil: undefined, freq: 2 }),
        repeated: fc.boolean(),
      });
      const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async steps => {
        const orderId = randomUUID();
        let model: Model = { status: 'none', cancelled: false, refunds: new Map() };
        for (const { command, killAt, repeated } of steps) {
          const [next, expected] = apply(model, command);
          if (killAt) bench.points.kill(killAt);
          const answer = await tried(bench, orderId, command, repeated);
          bench.points.clear();
          if (answer === undefined) {
            // Nobody repeats it: when all is settled it has happened or not.
            await bench.settle();
            const now = await real(bench, orderId);
            assert.ok(
              [model, next].some(one => isSame(one, now)),
              'all of it or nothing',
            );
            model = now;
          } else {
            if (command.type !== 'message') assert.equal(answer, expected);
            model = next;
          }
        }
        await bench.settle();
        assert.deepEqual(await real(bench, orderId), model);
      });
      await fc.assert(property, parameters(context, 40));
    });

    test('is right in the end, however several calls are interleaved', async context => {
      const bench = await createBench(await testConnection(context), options);
      const property = fc.asyncProperty(
        fc.scheduler(),
        fc.array(command, { minLength: 2, maxLength: 5 }),
        async (scheduler, commands) => {
          const orderId = randomUUID();
          bench.points.pace = name => scheduler.schedule(Promise.resolve(), name);
          const charge: Command = { type: 'charge', token: 'tok_visa' };
          const works = [charge, ...commands].map(one => tried(bench, orderId, one, true));
          const answers = await scheduler.waitFor(Promise.all(works));
          bench.points.pace = undefined;
          await bench.settle();
          const { status, cancelled, refunds } = await real(bench, orderId);
          assert.ok(given({ status, cancelled, refunds }) <= (status === 'captured' ? price : 0));
          if (cancelled) assert.equal(left({ status, cancelled, refunds }), 0, 'nothing is kept of a cancelled order');
          if (commands.some(one => one.type === 'cancel' || one.type === 'message')) assert.ok(cancelled);
          for (const [at, one] of commands.entries()) {
            const answer = answers[at + 1];
            if (one.type !== 'refund' || !answer?.startsWith('refunded')) continue;
            assert.equal(answer, `refunded ${refunds.get(one.id)}`, 'what was answered stays');
          }
        },
      );
      await fc.assert(property, parameters(context, 40));
    });
  });
}

/** The answer to a command; `repeated` until there is one, undefined when it was lost and not repeated. */
async function tried(bench: Bench, orderId: string, command: Command, repeated: boolean): Promise<string | undefined> {
  for (let time = 0; ; time += 1) {
    try {
      return await act(bench, orderId, command);
    } catch (error) {
      if (!(error instanceof Killed || error instanceof ProviderError) || time > 8) throw error;
      if (!repeated) return undefined;
    }
  }
}

const isSame = (a: Model, b: Model): boolean =>
  a.status === b.status &&
  a.cancelled === b.cancelled &&
  JSON.stringify([...a.refunds].sort()) === JSON.stringify([...b.refunds].sort());
