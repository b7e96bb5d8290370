import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../real/realShop.ts';
import { freePorts, type RabbitPorts, rabbitName, rabbitNode, startServer, type TestServer } from '../real/servers.ts';

const run = promisify(execFile);
const wholeLimitMs = 180_000;

/** A queue as the cluster keeps it. */
interface Queue {
  name: string;
  type: string;
  /** Nodes that have it, and those of them that are up. */
  members: string[];
  online: string[];
}

/** A node of a cluster. */
export interface Node extends TestServer {
  name: string;
}

/** Three RabbitMQ nodes that keep the same queues; of a part with fewer than two the nodes pause. */
export interface BrokerCluster {
  /** The addresses of all, as RABBITMQ_URL takes them. */
  url: string;
  nodes: readonly Node[];
  /** The queues that are kept on several nodes. */
  queues(): Promise<Queue[]>;
  /** Waits until all nodes run, and every queue is up on as many as have it. */
  untilWhole(): Promise<void>;
  /** Cuts a node off from the others, which still reach each other. @returns reaches them again */
  isolate(node: Node): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export async function startBrokerCluster(): Promise<BrokerCluster> {
  const ports = await freePorts(6);
  const places = [0, 1, 2].map((at): RabbitPorts => ({ port: ports[at] ?? 0, distribution: ports[at + 3] ?? 0 }));
  const names = places.map(rabbitName);
  const cookie = randomBytes(16).toString('hex');
  const giveCookie = (folder: string) => writeFileSync(join(folder, '.erlang.cookie'), cookie, { mode: 0o400 });
  const settings = [
    'cluster_partition_handling = pause_minority',
    'cluster_formation.peer_discovery_backend = classic_config',
    ...names.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`),
  ];
  const home = mkdtempSync(join(tmpdir(), 'tradepost-commands-'));
  giveCookie(home);
  const nodes: Node[] = [];
  const close = async () => {
    await Promise.all(nodes.map(node => node.close()));
    rmSync(home, { recursive: true, force: true });
  };

  /** Runs a command of RabbitMQ's about a node. */
  async function control(node: Node, ...args: string[]): Promise<string> {
    const program = join(dirname(process.env.RABBITMQ_SERVER_BIN ?? ''), 'rabbitmqctl');
    const env = { PATH: process.env.PATH, HOME: home, RABBITMQ_CONF_ENV_FILE: '/dev/null' };
    const { stdout } = await run(program, ['--quiet', '--node', node.name, ...args], { env, timeout: 60_000 });
    return stdout;
  }

  /** What the first node answers, which runs when this is asked. */
  const ask = async (...args: string[]) => JSON.parse(await control(nodes[0] as Node, ...args, '--formatter', 'json'));
  const queues = async (): Promise<Queue[]> => {
    const listed: Queue[] = await ask('list_queues', 'name', 'type', 'members', 'online');
    return listed.filter(({ type }) => /quorum/.test(type));
  };
  try {
    // One after the other: those that come later find who is there.
    for (const place of places) {
      const server = await startServer({ ...rabbitNode(place, settings, giveCookie), startLimitMs: wholeLimitMs });
      nodes.push({ ...server, name: rabbitName(place) });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: nodes.map(node => node.url).join(','),
    nodes,
    queues,
    close,
    async untilWhole() {
      let seen: unknown;
      const isWhole = async () => {
        const status = await ask('cluster_status');
        const missing = (await queues()).filter(({ members, online }) => online.length < members.length);
        seen = { running: status.running_nodes, missing };
        return status.running_nodes.length === nodes.length && missing.length === 0;
      };
      await until(
        () =>
          isWhole().catch(error => {
            seen = String(error);
            return false;
          }),
        wholeLimitMs,
        () => seen,
      );
    },
    async isolate(node) {
      const others = names.filter(name => name !== node.name).map(name => `'${name}'`);
      // A connection between nodes takes the same cookie on both ends: with another one there is none until it is right again.
      const each = (call: string) => others.map(other => call.replaceAll('NODE', other)).join(', ');
      const set = (value: string) => each(`erlang:set_cookie(NODE, '${value}')`);
      await control(node, 'eval', `${set('another')}, ${each('erlang:disconnect_node(NODE)')}, ok.`);
      return async () => void (await control(node, 'eval', `${set(cookie)}, ok.`));
    },
  };
}
