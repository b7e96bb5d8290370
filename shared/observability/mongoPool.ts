import type { Connection } from 'mongoose';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

type Client = ReturnType<Connection['getClient']>;

/** What a pool is like now, and who hears of what happens in it. */
interface Pool {
  limit: number;
  size: number;
  checkedOut: number;
  waiting: number;
  onCheckedOut(waitedMs: number): void;
  onFailed(): void;
}

const pools = new WeakMap<Connection, Pool>();

/**
 * Follows the pool of a database connection from its beginning, by the driver's own events (Connection Monitoring and
 * Pooling specification). Call it where the connection is made.
 */
export function followPool(connection: Connection): void {
  const pool: Pool = { limit: 0, size: 0, checkedOut: 0, waiting: 0, onCheckedOut: () => {}, onFailed: () => {} };
  pools.set(connection, pool);
  let followed: Client | undefined;
  const follow = (): void => {
    const client = connection.getClient() as Client | undefined;
    if (!client || client === followed) return;
    followed = client;
    followClient(client, pool, () => client === followed);
  };
  follow();
  // Another client after a first attempt that failed; it is there right after this, and its pool only later.
  connection.on('connecting', () => queueMicrotask(follow));
}

function followClient(client: Client, pool: Pool, isCurrent: () => boolean): void {
  Object.assign(pool, { limit: client.options.maxPoolSize, size: 0, checkedOut: 0, waiting: 0 });
  const change = (key: 'size' | 'checkedOut' | 'waiting', by: 1 | -1) => {
    if (isCurrent()) pool[key] += by;
  };
  client.on('connectionCreated', () => change('size', 1));
  client.on('connectionClosed', () => change('size', -1));
  client.on('connectionCheckOutStarted', () => change('waiting', 1));
  client.on('connectionCheckedOut', ({ durationMS }) => {
    change('waiting', -1);
    change('checkedOut', 1);
    pool.onCheckedOut(durationMS);
  });
  client.on('connectionCheckOutFailed', () => {
    change('waiting', -1);
    pool.onFailed();
  });
  client.on('connectionCheckedIn', () => change('checkedOut', -1));
}

/** Shows how many connections a followed pool has, how many are in use, and how many operations wait for one. */
export function showPool(connection: Connection, registry: Registry): void {
  const pool = pools.get(connection);
  if (!pool) return;
  const registers = [registry];
  const shown: [name: string, help: string, value: () => number][] = [
    ['mongodb_pool_connections', 'Open connections to the database', () => pool.size],
    ['mongodb_pool_connections_checked_out', 'Connections that an operation is using', () => pool.checkedOut],
    ['mongodb_pool_connections_limit', 'Most connections that may be open', () => pool.limit],
    ['mongodb_pool_waiting', 'Operations that wait for a connection', () => pool.waiting],
  ];
  for (const [name, help, value] of shown) {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value());
      },
    });
  }
  const failures = new Counter({
    name: 'mongodb_pool_checkout_failures_total',
    help: 'Operations that got no connection',
    registers,
  });
  const waits = new Histogram({
    name: 'mongodb_pool_checkout_duration_seconds',
    help: 'Time that an operation waited for its connection, in seconds',
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1],
    registers,
  });
  pool.onCheckedOut = waitedMs => waits.observe(waitedMs / 1_000);
  pool.onFailed = () => failures.inc();
}
