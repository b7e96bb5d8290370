import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { processNames } from '@tradepost/local/processes/settings';
import { serviceNames } from '@tradepost/shared/discovery';
import { compose, containers, docker, until } from '../tests/compose/engine.ts';
import { freePort } from '../tests/compose/suite.ts';

/** What an instance has used, in processor seconds since its start, and how often its cap held it up. */
export interface Usage {
  service: string;
  cpuSeconds: number;
}

/** The shop of docker-compose.yml, with any number of instances of each process, gateways included. */
export interface ContainerShop {
  admin: { email: string; password: string };
  /** Addresses of the gateways. */
  urls(): readonly string[];
  /** Brings every process to so many instances, all of them healthy. */
  scale(instances: number): Promise<void>;
  /** Caps every instance of the shop's own processes at a part of a processor. */
  cap(cpus: number): Promise<void>;
  /** Of all containers. */
  usage(): Promise<Usage[]>;
  stop(): Promise<void>;
}

const readyLimitMs = 600_000;

/**
 * Builds and starts the shop in a project of its own. Databases and broker may use all processors.
 * @param folder for a Compose file over the shop's own
 */
export async function startContainerShop(folder: string): Promise<ContainerShop> {
  const over = join(folder, 'compose.yml');
  const whole = { deploy: { resources: { limits: { cpus: String(availableParallelism()) } } } };
  const uncapped = [...serviceNames.map(name => name.replace('-service', '-db')), 'rabbitmq', 'consul'];
  const services = Object.fromEntries(uncapped.map(name => [name, whole] as const));
  // Of all gateways each has a port of its own, which the engine chooses.
  const gateway = '  gateway:\n    ports: !override ["127.0.0.1::3000"]\n';
  const text = Object.entries(services).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`);
  writeFileSync(over, `services:\n${gateway}${text.join('')}`);
  const admin = { email: 'admin@tradepost.example', password: 'the bench is not a secret' };
  Object.assign(process.env, {
    COMPOSE_PROJECT_NAME: 'tradepost-bench',
    COMPOSE_PROFILES: 'core',
    COMPOSE_FILE: `docker-compose.yml:${over}`,
    ...{ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password, OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    ...{ RATE_LIMIT_PER_MINUTE: '1000000', AUTH_RATE_LIMIT: '1000000', SEED_DEMO: 'true' },
    ...{ RABBITMQ_PORT: String(await freePort()), CONSUL_PORT: String(await freePort()) },
  });
  const stop = async () => {
    await compose('--profile', '*', 'down', '--volumes', '--timeout', '20');
  };
  await stop();
  await compose('build');
  let urls: string[] = [];
  const own = async () => (await containers()).filter(({ service }) => isOwn(service));

  async function scale(instances: number): Promise<void> {
    const scales = processNames.flatMap(name => ['--scale', `${name}=${instances}`]);
    const isFirst = urls.length === 0;
    // What they stand on is there after the first time, and not asked again whether it is well.
    const only = isFirst ? [] : ['--no-deps', ...processNames];
    await compose('up', '--detach', '--no-recreate', ...scales, ...only);
    const wanted = processNames.length * instances;
    await until(async () => (await own()).filter(({ health }) => health === 'healthy').length === wanted, readyLimitMs);
    const gateways = (await own()).filter(({ service }) => service === 'gateway');
    urls = await Promise.all(
      gateways.map(async ({ id }) => `http://${(await docker('port', id, '3000/tcp')).stdout.trim().split('\n')[0]}`),
    );
  }

  return {
    ...{ admin, scale, stop, urls: () => urls },
    async cap(cpus) {
      await docker('update', '--cpus', String(cpus), ...(await own()).map(({ id }) => id));
    },
    usage: async () => Promise.all((await containers()).filter(({ state }) => state === 'running').map(usageOf)),
  };
}

const isOwn = (service: string): boolean => (processNames as readonly string[]).includes(service);

/** By the engine's own interface: its client takes seconds to say it, and in parts of a hundred. */
async function usageOf({ id, service }: { id: string; service: string }): Promise<Usage> {
  const text = await new Promise<string>((resolve, reject) => {
    const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
    const path = `/containers/${id}/stats?stream=false&one-shot=true`;
    const { protocol, hostname, port, pathname } = new URL(host);
    const where = protocol === 'unix:' ? { socketPath: pathname } : { hostname, port };
    get({ ...where, path }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', chunk => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
  const { cpu_stats: stats } = JSON.parse(text) as { cpu_stats: { cpu_usage: { total_usage: number } } };
  return { service, cpuSeconds: stats.cpu_usage.total_usage / 1e9 };
}
