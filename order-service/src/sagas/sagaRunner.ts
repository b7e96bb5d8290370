import type { Clock } from '@tradepost/shared/clock';
import { currentContext } from '@tradepost/shared/context';
import type { Logger } from '@tradepost/shared/logger';
import type { Tracer } from '@tradepost/shared/observability/span';
import { beginTrace, inSpan, runTraced } from '@tradepost/shared/observability/tracing';
import type { Failpoint } from '../config.ts';
import { decide, InvalidTransitionError } from '../domain/decide.ts';
import type { OrderEvent, RecordedEvent } from '../domain/events.ts';
import { fold, type Order } from '../domain/order.ts';
import { NewerEventError } from '../domain/storedEvent.ts';
import type { EventStore } from '../events/eventStore.ts';
import { createOrderSaga, type InventoryCommands, type PaymentCommands, stateOf } from './createOrderSaga.ts';
import type { SagaMetrics } from './sagaMetrics.ts';
import type { Lease, SagaStore } from './sagaStore.ts';

export interface SagaRunner {
  /**
   * Works on an order until its saga is done, a step has failed, or the lease is lost; never throws for what went wrong
   * with a step, which is noted in the saga document.
   * @param known the stream, when the caller has just written it itself
   * @returns the stream as far as it was seen
   */
  run(lease: Lease, known?: readonly RecordedEvent[]): Promise<RecordedEvent[]>;
  /** Resolves when no run is left, for a clean stop. */
  idle(): Promise<void>;
}

export interface SagaRunnerDependencies {
  eventStore: EventStore;
  sagaStore: SagaStore;
  inventory: InventoryCommands;
  payment: PaymentCommands;
  /** Called after every append with the order as it is now. */
  appended(orderId: string, order: Order): Promise<void>;
  clock: Clock;
  random: () => number;
  logger: Logger;
  tracer?: Tracer | undefined;
  metrics: SagaMetrics;
  maxAttempts: number;
  leaseMs: number;
  failpoint: Failpoint;
}

const backoffBaseMs = 100;
const backoffCapMs = 5_000;

/** Another worker has taken the order over. */
class LeaseLostError extends Error {}

export function createSagaRunner(dependencies: SagaRunnerDependencies): SagaRunner {
  const { sagaStore, logger, metrics } = dependencies;
  const running = new Set<Promise<unknown>>();

  const attempt = async (lease: Lease, known?: readonly RecordedEvent[]): Promise<RecordedEvent[]> => {
    const seen: RecordedEvent[] = [...(known ?? [])];
    try {
      await follow(lease, seen, known !== undefined, dependencies);
    } catch (error) {
      if (error instanceof LeaseLostError) return seen;
      // An instance of the later release goes on with the order; this one only looks whether it has to be.
      const isNewer = error instanceof NewerEventError;
      const park = !isNewer && lease.attempts + 1 >= dependencies.maxAttempts;
      const backoffMs = isNewer ? backoffCapMs : Math.min(backoffCapMs, backoffBaseMs * 2 ** lease.attempts);
      const waitMs = dependencies.random() * backoffMs;
      logger[park ? 'error' : 'warn'](
        { err: error, orderId: lease._id, attempts: lease.attempts + 1, park },
        'saga step failed',
      );
      metrics.failed(park);
      await sagaStore
        .fail(lease, { error: messageOf(error), nextRunAt: new Date(dependencies.clock().getTime() + waitMs), park })
        .catch(reason => logger.warn({ err: reason, orderId: lease._id }, 'saga: the lease will lapse by itself'));
    }
    return seen;
  };
  return {
    run(lease, known) {
      // The saga outlives the request that began it, so it keeps its trace but not its deadline.
      // Without a request it goes on with the trace of the one that began the order.
      const { traceparent: begun } = lease;
      const { requestId = lease._id, traceparent: parent = begun } = currentContext() ?? {};
      const trace = beginTrace(dependencies.tracer, 'saga', {
        parent,
        attributes: { 'tradepost.order.id': lease._id, 'tradepost.saga.attempts': lease.attempts },
        links: begun && begun !== parent ? [begun] : [],
      });
      const work = runTraced({ requestId, orderId: lease._id, ...trace }, () => attempt(lease, known));
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 500);

/** Reads, acts, appends, until the saga is done. `seen` grows with the stream. */
async function follow(
  lease: Lease,
  seen: RecordedEvent[],
  isKnown: boolean,
  dependencies: SagaRunnerDependencies,
): Promise<void> {
  const { eventStore, sagaStore, metrics } = dependencies;
  const reread = async (): Promise<Order | undefined> => {
    // `wake` is read before the stream: a wake-up after this makes `finish` fail.
    const saga = await sagaStore.find(lease);
    if (saga?.fence !== lease.fence) throw new LeaseLostError();
    lease.wake = saga.wake;
    seen.splice(0, seen.length, ...(await eventStore.loadDurable(lease._id)));
    return fold(seen);
  };
  let order = isKnown ? fold(seen) : await reread();
  // A saga that is woken once more, as by a cancellation that is repeated, ends again with nothing done.
  let hasMoved = false;
  let lookedAgainAt = -1;
  // A second look at the same version cannot help; somebody or time has to.
  const lookAgain = async (why: string): Promise<Order | undefined> => {
    const version = order?.version ?? 0;
    if (lookedAgainAt === version) throw new Error(why);
    lookedAgainAt = version;
    return reread();
  };
  for (;;) {
    await keepLease(lease, dependencies);
    if (!order) {
      order =
        (await append(lease._id, undefined, [created(lease)], seen, dependencies)) ??
        (await lookAgain('the order cannot be created'));
      continue;
    }
    const state = stateOf(order);
    const { token } = lease;
    const step = createOrderSaga[state];
    const attributes = { 'tradepost.order.id': lease._id, 'tradepost.saga.state': state };
    const result = await inSpan(`saga ${step.name}`, { attributes }, () =>
      metrics.timed(state, () => step({ orderId: lease._id, order: order as Order, token, ...dependencies })),
    );
    if (result.next === 'finish') {
      await dependencies.failpoint('order.saga.beforeDone');
      if (await sagaStore.finish(lease)) {
        if (hasMoved) metrics.finished(state);
        return;
      }
      order = await reread();
    } else if (result.next === 'reread') {
      order = await lookAgain(result.why);
    } else {
      const next = await append(lease._id, order, decideOrReread(order, result.command), seen, dependencies);
      if (next) hasMoved = true;
      order = next ?? (await lookAgain(`the order refuses ${result.command.type}`));
    }
  }
}

/** A command that no longer fits met a stream that has moved on: appending nothing makes the caller read again. */
function decideOrReread(order: Order, command: Parameters<typeof decide>[1]): OrderEvent[] {
  try {
    return decide(order, command);
  } catch (error) {
    if (error instanceof InvalidTransitionError) return [];
    throw error;
  }
}

/** The order after the append, or undefined when somebody else has appended first. */
async function append(
  orderId: string,
  order: Order | undefined,
  events: OrderEvent[],
  seen: RecordedEvent[],
  { eventStore, appended, failpoint }: SagaRunnerDependencies,
): Promise<Order | undefined> {
  if (events.length === 0) return undefined;
  await failpoint(`order.append.before.${events[0]?.type}`);
  const recorded = await eventStore.append(orderId, order?.version ?? 0, events);
  await failpoint(`order.append.after.${events[0]?.type}`);
  if (recorded === 'conflict') return undefined;
  seen.push(...recorded);
  const now = fold(recorded, order) as Order;
  await appended(orderId, now);
  return now;
}

async function keepLease(lease: Lease, { clock, leaseMs, sagaStore }: SagaRunnerDependencies): Promise<void> {
  if (lease.leaseUntil.getTime() - clock().getTime() > (leaseMs * 2) / 3) return;
  if (!(await sagaStore.renew(lease))) throw new LeaseLostError();
}

function created(lease: Lease): OrderEvent {
  const { userId, lines, currency, total } = lease;
  if (!lines || !currency || total === undefined) throw new Error('the saga document has no order to create');
  return { type: 'OrderCreated', data: { userId, lines, currency, total } };
}
