import { startTestDatabase } from '@tradepost/local/testing';
import type { Clock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { InventoryConfig } from '../config.ts';
import { createInventory, type Inventory } from './inventory.ts';

/** A place where a test stops the code that comes by. */
export interface Pause {
  /** Resolves when the code is there. */
  reached: Promise<void>;
  resume(): void;
}

/** Named failpoints of one instance, in the hand of a test. */
export function createFailpoints() {
  const actions = new Map<string, () => Promise<void>>();
  return {
    async failpoint(name: string): Promise<void> {
      const action = actions.get(name);
      actions.delete(name);
      await action?.();
    },
    /** Stops whoever comes by next. */
    pauseAt(name: string): Pause {
      const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      actions.set(name, () => {
        reached.resolve();
        return resumed.promise;
      });
      return { reached: reached.promise, resume: resumed.resolve };
    },
    /** Ends the work of whoever comes by next, as a killed process would end it there. */
    dieAt(name: string): void {
      actions.set(name, () => Promise.reject(new Error(`died at ${name}`)));
    },
  };
}

export type Instance = Inventory & ReturnType<typeof createFailpoints>;

/** Instances of the service's use cases that share a database; nothing runs by itself, and time stands still. */
export async function startInstances(count: number, config: Partial<InventoryConfig> = {}) {
  const database = await startTestDatabase();
  const uri = database.uri('inventory');
  const connections = await Promise.all(Array.from({ length: count }, () => createConnection(uri).asPromise()));
  let now = new Date('2026-11-22T12:00:00.000Z').getTime();
  const clock: Clock = () => new Date(now);
  const instances = connections.map((connection): Instance => {
    const failpoints = createFailpoints();
    const registry = createRegistry('inventory-service', { processMetrics: false });
    const settings = { HOLD_TTL_MS: 60_000, HOLD_SWEEP_INTERVAL_MS: 1_000, LOW_STOCK_THRESHOLD: 5, ...config };
    const dependencies = { connection, clock, newId, random: Math.random, registry, onChange: () => {} };
    return { ...createInventory(dependencies, { ...settings, failpoint: failpoints.failpoint }), ...failpoints };
  });
  const [first] = connections;
  if (first) await buildIndexes(first);
  return {
    instances,
    pass(ms: number): void {
      now += ms;
    },
    async close(): Promise<void> {
      await first?.dropDatabase();
      for (const connection of connections) await connection.close();
      await database.close();
    },
  };
}
