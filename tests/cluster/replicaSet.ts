import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { until } from '../real/realShop.ts';
import { startMongod, type TestServer } from '../real/servers.ts';

const name = 'shop';
/** An election begins 10 s after the last sign of a primary, as MongoDB has it by default; a busy machine takes longer. */
const electionLimitMs = 90_000;

/** Three MongoDB servers that keep the same data. */
export interface ReplicaSet {
  /** The address of all, without a database. */
  url: string;
  members: readonly TestServer[];
  /** The one that takes writes now. */
  primary(): Promise<TestServer>;
  /** Waits until another than `old` takes writes. @returns milliseconds that it took */
  untilReplaced(old: TestServer): Promise<number>;
  /** Waits until each is primary or follows it. */
  untilWhole(): Promise<void>;
  close(): Promise<void>;
}

export async function startReplicaSet(): Promise<ReplicaSet> {
  const members = await Promise.all(Array.from({ length: 3 }, () => startMongod('--replSet', name)));
  const hosts = members.map(member => new URL(member.url).host);
  const [first] = members as [TestServer, ...TestServer[]];
  const close = async () => void (await Promise.all(members.map(member => member.close())));
  const primary = async (): Promise<TestServer | undefined> => {
    const greetings = await Promise.all(members.map(member => ask(member, { hello: 1 })));
    return members.find((_, index) => greetings[index]?.isWritablePrimary === true);
  };
  const set: ReplicaSet = {
    url: `mongodb://${hosts.join(',')}/?replicaSet=${name}`,
    members,
    async primary() {
      let found: TestServer | undefined;
      await until(async () => {
        found = await primary();
        return found !== undefined;
      }, electionLimitMs);
      return found as TestServer;
    },
    untilReplaced: old =>
      until(async () => {
        const found = await primary();
        return found !== undefined && found !== old;
      }, electionLimitMs),
    async untilWhole() {
      let seen: unknown;
      await until(
        async () => {
          const found = await primary();
          const status = found && (await ask(found, { replSetGetStatus: 1 }));
          seen = status?.members.map((one: { stateStr: string }) => one.stateStr);
          return status?.members.every((one: { state: number; health: number }) => one.health === 1 && one.state <= 2);
        },
        electionLimitMs,
        () => seen,
      );
    },
    close,
  };
  try {
    const initiate = { _id: name, members: hosts.map((host, _id) => ({ _id, host })) };
    await ask(first, { replSetInitiate: initiate }, true);
    await set.untilWhole();
  } catch (error) {
    await close();
    throw error;
  }
  return set;
}

/**
 * Asks one server alone.
 * @returns its answer; undefined when it gives none, as one that is frozen, unless it `must`
 */
export async function ask(
  server: TestServer,
  command: Record<string, unknown>,
  must = false,
): Promise<mongoose.mongo.Document | undefined> {
  const limits = { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000, socketTimeoutMS: 2_000 };
  const client = new mongoose.mongo.MongoClient(server.url, { directConnection: true, ...(must ? {} : limits) });
  try {
    return await client.db('admin').command(command);
  } catch (error) {
    if (must) throw error;
    await sleep(100);
    return undefined;
  } finally {
    await client.close();
  }
}
