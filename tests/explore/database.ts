import { compileExpr, scopeOf } from '@tradepost/local/store/aggregate/expression';
import { compileUpdatePipeline } from '@tradepost/local/store/aggregate/pipeline';
import { execute } from '@tradepost/local/store/commands/dispatch';
import { type Engine, openEngine } from '@tradepost/local/store/engine';
import { readRequest } from '@tradepost/local/store/wire/frame';
import { encode } from '@tradepost/local/store/wire/reply';
import type { Connection } from 'mongoose';
import { openConnection } from './driver.ts';
import { type Choice, currentOwner, isLeftOver, nobody, type Scheduler } from './scheduler.ts';

export interface SimulatedDatabase {
  /** Says that the indexes of a database are built, for all worlds to come. */
  keepIndexes(database: string): void;
  /** What an instance asks waits for the scheduler; what nobody's code asks is answered at once. */
  connection(database: string): Connection;
  /** Never answers this instance again. */
  kill(instance: string): void;
  /**
   * Kills the server of a database, or of all: what is not journaled is forgotten, whoever waits for it is told so, and it
   * is there again at once.
   */
  crash(database?: string): void;
  /** Grows whenever something may have changed. */
  changes(): number;
  /** Answers nobody any more. */
  close(): void;
}

const writes = new Set(['insert', 'update', 'delete', 'findAndModify']);

/** The open world's answers; connections outlive the worlds. */
let answer: ((frame: Buffer) => Promise<Uint8Array>) | undefined;
const connections = new Map<string, Connection>();
const never = new Promise<never>(() => {});
let now = (): number => 0;
const clock = () => new Date(now());
/** Each database's own, for all worlds. */
const engines = new Map<string, Engine>();

/** A database's engine as a new one would be, but with its collections and indexes there already. */
function emptyEngine(database: string): Engine {
  const engine: Engine =
    engines.get(database) ??
    openEngine(':memory:', clock, {
      expr: expression => compileExpr(expression, scopeOf(clock())),
      pipeline: stages => compileUpdatePipeline(stages, () => engine, clock()),
    });
  engines.set(database, engine);
  engine.rollback();
  const tables = engine.sql.prepare("SELECT name FROM sqlite_master WHERE name GLOB 'docs_*' OR name GLOB 'index_*'");
  for (const row of tables.all()) engine.sql.exec(`DELETE FROM ${(row as unknown as [string])[0]}`);
  engine.sql.exec("UPDATE indexes SET arrays = '[]'");
  engine.catalog.reload();
  return engine;
}

/** A server as the open world has it: writes that it may still forget, and what tells their callers that it did. */
interface Server {
  engine: Engine;
  unjournaled: Map<Choice, () => void>;
}

/**
 * The embedded store's own engine for each database, behind the real driver, without a network. A request is executed when the scheduler
 * says so. With `journal`, a write can be read at once and is answered later, when it is durable; a crash between the two
 * forgets it, as a killed mongod does. One that asks for no journal is answered at once, and forgotten all the same.
 */
export function simulateDatabase(
  scheduler: Scheduler,
  worldNow: () => number,
  options: { journal: boolean },
): SimulatedDatabase {
  now = worldNow;
  const servers = new Map<string, Server>();
  const serverOf = (database: string): Server => {
    const server = servers.get(database) ?? { engine: emptyEngine(database), unjournaled: new Map() };
    servers.set(database, server);
    return server;
  };
  const killed = new Set<string>();
  let changes = 0;
  answer = frame => {
    if (isLeftOver(scheduler)) return never;
    const owner = currentOwner();
    if (killed.has(owner)) return never;
    scheduler.touch();
    const request = readRequest(frame);
    const { engine, unjournaled } = serverOf(request.db);
    const name = Object.keys(request.command)[0] ?? '';
    const perform = (): Buffer => {
      if (writes.has(name)) changes += 1;
      return execute(engine, request, 1);
    };
    if (owner === nobody || !isGated(name, request.command[name])) {
      const body = perform();
      if (unjournaled.size === 0) engine.commit();
      return Promise.resolve(body);
    }
    const label = `${name} ${String(request.command[name])}`;
    return new Promise(respond => {
      const run = (): void => {
        const body = perform();
        if (!options.journal || !writes.has(name)) {
          if (!options.journal) engine.commit();
          respond(body);
          return;
        }
        const isAwaited = (request.command.writeConcern as { j?: boolean } | undefined)?.j !== false;
        const journal: Choice = {
          label: `journal ${label}`,
          owner: isAwaited ? owner : 'database',
          run() {
            unjournaled.delete(journal);
            engine.commit();
            respond(body);
          },
        };
        unjournaled.set(journal, () => respond(encode(killedMeanwhile)));
        scheduler.offer(journal);
        if (!isAwaited) respond(body);
      };
      scheduler.offer({ label, owner, run });
    });
  };
  return {
    connection(database) {
      const known = connections.get(database) ?? openConnection(database, frame => answer?.(frame) ?? never);
      connections.set(database, known);
      return known;
    },
    keepIndexes(database) {
      for (const model of Object.values(connections.get(database)!.models)) model.createIndexes = async () => {};
    },
    kill: instance => killed.add(instance),
    crash(database) {
      scheduler.touch();
      changes += 1;
      for (const { engine, unjournaled } of database === undefined ? servers.values() : [serverOf(database)]) {
        engine.rollback();
        for (const [choice, fail] of unjournaled) {
          scheduler.withdraw(choice);
          fail();
        }
        unjournaled.clear();
      }
    },
    changes: () => changes,
    close() {
      answer = undefined;
    },
  };
}

const killedMeanwhile = { ok: 0, code: 50, codeName: 'MaxTimeMSExpired', errmsg: 'killed' };

/** Whether its moment matters; not that of what a service asks before it begins. */
const isGated = (name: string, collection: unknown): boolean =>
  collection !== 'written_schemas' &&
  !/^(hello|ismaster|ping|endSessions|createIndexes|listIndexes|killCursors)$/i.test(name);
