import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryRabbit } from '@tradepost/shared/messaging/rabbitConnection';
import { createConnection } from '@tradepost/shared/mongo';

/** A server of the tests' own, on a free port, with a folder of its own. */
export interface TestServer {
  url: string;
  /** Of the process that was started last. */
  pid(): number | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a power failure would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, and waits until it answers. */
  start(): Promise<void>;
  /** Lets it run again, whether it was frozen or ended; nothing to one that runs. */
  revive(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** Programs that the suite needs, by the setting that names each. */
export const programs = ['MONGOD_BIN', 'CONSUL_BIN', 'RABBITMQ_SERVER_BIN'] as const;
/** Without this one the limits that gateways share are left out. */
export const redisProgram = 'REDIS_SERVER_BIN';

const usualStartLimitMs = 180_000;

export interface Program {
  /** The environment's name for the program. */
  setting: string;
  /** The program, where the environment does not name it; the setting is then only its name in messages. */
  binary?: string;
  /** Where and as whom it runs, if not here and as this process. */
  place?: { cwd: string; uid?: number; gid?: number };
  /** Within which it must answer, in milliseconds; 60 s without. */
  startLimitMs?: number;
  url: string;
  /** Arguments and environment, by the server's folder. */
  command(folder: string): { args: string[]; environment?: Record<string, string> };
  isUp(): Promise<unknown>;
}

/** Starts a server and waits until it answers. */
export async function startServer(program: Program): Promise<TestServer> {
  const binary = program.binary ?? process.env[program.setting];
  if (!binary) throw new Error(`${program.setting} is not set`);
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-server-'));
  const { args, environment } = program.command(folder);
  let child: ChildProcess | undefined;
  // A file, not a pipe: a server whose log nobody reads in time would stand still.
  const logFile = join(folder, 'output.log');
  const log = openSync(logFile, 'a');
  const output = () => readFileSync(logFile, 'utf8').slice(-4_000);

  async function start(): Promise<void> {
    // A group of its own: the broker is started by a script that does not pass signals on.
    const started = spawn(binary as string, args, {
      detached: true,
      stdio: ['ignore', log, log],
      ...program.place,
      env: { PATH: process.env.PATH, HOME: folder, ...environment },
    });
    child = started;
    for (const until = performance.now() + (program.startLimitMs ?? usualStartLimitMs); ; await sleep(100)) {
      if (started.exitCode !== null) throw new Error(`${program.setting} ended: ${output()}`);
      if (await program.isUp().then(yes, no)) return;
      if (performance.now() > until) throw new Error(`${program.setting} does not answer: ${output()}`);
    }
  }

  const runs = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals) => {
    if (child?.pid && runs()) process.kill(-child.pid, name);
  };
  async function kill(): Promise<void> {
    if (!child || !runs()) return;
    const gone = once(child, 'close');
    signal('SIGKILL');
    await gone;
  }
  // Whatever becomes of the test, its servers do not outlive it.
  process.once('exit', () => signal('SIGKILL'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1));
  try {
    await start();
  } catch (error) {
    signal('SIGKILL');
    throw error;
  }
  return {
    url: program.url,
    pid: () => child?.pid,
    signal,
    kill,
    start,
    async revive() {
      signal('SIGCONT');
      if (!runs()) await start();
    },
    async close() {
      await kill();
      closeSync(log);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const yes = () => true;
const no = () => false;

/**
 * A MongoDB server.
 * @param options further ones, as of a member of a replica set; a standalone server without them
 */
export async function startMongod(...options: string[]): Promise<TestServer> {
  const [port] = await freePorts(1);
  const url = `mongodb://127.0.0.1:${port}`;
  const common = ['--port', String(port), '--bind_ip', '127.0.0.1', '--wiredTigerCacheSizeGB', '0.25'];
  return startServer({
    setting: 'MONGOD_BIN',
    url,
    command: folder => ({ args: ['--dbpath', folder, ...common, ...options] }),
    async isUp() {
      const connection = createConnection(`${url}/admin?directConnection=true`);
      try {
        await connection.asPromise();
      } finally {
        await connection.close();
      }
    },
  });
}

/** A single Consul agent that keeps nothing. */
export async function startConsul(): Promise<TestServer> {
  const [http, server, lan, wan] = await freePorts(4);
  const url = `http://127.0.0.1:${http}`;
  const ports = { 'http-port': http, 'server-port': server, 'serf-lan-port': lan, 'serf-wan-port': wan };
  const options = Object.entries(ports).flatMap(([name, port]) => [`-${name}`, String(port)]);
  return startServer({
    setting: 'CONSUL_BIN',
    url,
    command: () => ({
      args: ['agent', '-dev', '-client', '127.0.0.1', '-dns-port', '-1', '-grpc-port', '-1', ...options],
    }),
    async isUp() {
      const leader = await fetch(`${url}/v1/status/leader`, { signal: AbortSignal.timeout(1_000) });
      if (!/:\d/.test(await leader.text())) throw new Error('no leader yet');
    },
  });
}

/**
 * A single RabbitMQ node.
 * @param metricsPort where it serves its metrics; it does not without one
 */
export async function startRabbit(metricsPort?: number): Promise<TestServer> {
  const [port = 0, distribution = 0] = await freePorts(2);
  const metrics = [`prometheus.tcp.port = ${metricsPort}`, 'prometheus.tcp.ip = 127.0.0.1'];
  return startServer(
    rabbitNode({ port, distribution }, metricsPort ? metrics : [], folder => {
      if (metricsPort) writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_prometheus].\n');
    }),
  );
}

/** A node by its port for clients and the one for other nodes. */
export interface RabbitPorts {
  port: number;
  distribution: number;
}

/** The name by which other nodes and commands know a node. */
export const rabbitName = ({ port }: RabbitPorts): string => `tradepost-${port}@localhost`;

/**
 * One RabbitMQ node.
 * @param settings lines of its configuration
 * @param prepare puts further files into its folder, which is its home too
 */
export function rabbitNode(ports: RabbitPorts, settings: string[], prepare: (folder: string) => void): Program {
  const { port, distribution } = ports;
  const url = `amqp://127.0.0.1:${port}`;
  return {
    setting: 'RABBITMQ_SERVER_BIN',
    url,
    command(folder) {
      const configuration = join(folder, 'rabbitmq.conf');
      writeFileSync(configuration, `${[`listeners.tcp.1 = 127.0.0.1:${port}`, ...settings].join('\n')}\n`);
      prepare(folder);
      return {
        args: [],
        environment: {
          RABBITMQ_NODENAME: rabbitName(ports),
          RABBITMQ_DIST_PORT: String(distribution),
          RABBITMQ_BASE: folder,
          RABBITMQ_MNESIA_BASE: join(folder, 'data'),
          RABBITMQ_LOG_BASE: join(folder, 'log'),
          RABBITMQ_PLUGINS_EXPAND_DIR: join(folder, 'plugins'),
          RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
          RABBITMQ_PID_FILE: join(folder, 'pid'),
          RABBITMQ_CONFIG_FILE: configuration,
          RABBITMQ_CONF_ENV_FILE: '/dev/null',
        },
      };
    },
    isUp: () => tryRabbit(url, 2_000),
  };
}

/** A single Redis that keeps nothing. */
export async function startRedis(): Promise<TestServer> {
  const [port] = await freePorts(1);
  const url = `redis://127.0.0.1:${port}`;
  return startServer({
    setting: redisProgram,
    url,
    command: folder => ({
      args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
    }),
    async isUp() {
      const socket = connect(Number(port), '127.0.0.1');
      try {
        await once(socket, 'connect');
        socket.write('PING\r\n');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        if (!String(answer).startsWith('+PONG')) throw new Error(String(answer));
      } finally {
        socket.destroy();
      }
    },
  });
}

/** Ports that nobody has; held together, so that no two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map(server => once(server.listen(0, '127.0.0.1'), 'listening')));
  const ports = servers.map(server => (server.address() as { port: number }).port);
  await Promise.all(servers.map(server => once(server.close(), 'close')));
  return ports;
}
