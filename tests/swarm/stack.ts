import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../architecture/sourceFiles.ts';
import { docker, until } from '../compose/engine.ts';

export const stackName = 'tradepost-test';
const namespace = `label=com.docker.stack.namespace=${stackName}`;

/** Makes the stack's secrets in a folder. @returns `email:password` of the administrator */
export function makeSecrets(folder: string): string {
  const command = join(root, 'local/commands/initSecrets.ts');
  execFileSync(process.execPath, [command, '--stack', '--folder', folder], { stdio: 'ignore' });
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  return `${read('admin-email')}:${read('admin-password')}`;
}

/** Begins a Swarm of this machine alone unless it is in one. @returns what ends it again */
export async function withSwarm(): Promise<() => Promise<void>> {
  const { stdout } = await docker('info', '--format', '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}');
  if (stdout.trim() === 'active true') return async () => {};
  if (!stdout.startsWith('inactive')) throw new Error(`this machine is no manager of its Swarm: ${stdout.trim()}`);
  await docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
  return async () => {
    await docker('swarm', 'leave', '--force');
  };
}

/**
 * Deploys deploy/swarm.yml with a file over it for machines without IPVS, which virtual addresses and the ingress need: the
 * gateway has the addresses of its tasks too, and in the place of the ingress a container shares out the connections to
 * `port`.
 */
export async function deploy(folder: string, port: number): Promise<void> {
  const over = join(folder, 'over.yml');
  const balancer = {
    image: 'tradepost/local',
    command: ['node', '/balancer.ts'],
    healthcheck: { disable: true },
    networks: ['edge'],
    configs: [{ source: 'balancer', target: '/balancer.ts' }],
    ports: [{ target: 3000, published: port, mode: 'host' }],
    deploy: { endpoint_mode: 'dnsrr' },
  };
  const services = {
    // Any port of this machine for each task: they are not used.
    gateway: { deploy: { endpoint_mode: 'dnsrr' }, ports: [{ target: 3000, published: 0, mode: 'host' }] },
    balancer,
  };
  const configs = { balancer: { file: join(import.meta.dirname, 'balancer.ts') } };
  writeFileSync(over, JSON.stringify({ version: '3.9', services, configs }));
  Object.assign(process.env, { GATEWAY_PORT: '0', DATA_NODE: await nodeName() });
  await docker('stack', 'deploy', '--resolve-image', 'never', '-c', 'deploy/swarm.yml', '-c', over, stackName);
}

const nodeName = async (): Promise<string> =>
  (await docker('node', 'inspect', 'self', '--format', '{{.Description.Hostname}}')).stdout.trim() || hostname();

/** Removes the stack with its data, and waits until it is gone. */
export async function removeStack(): Promise<void> {
  // Some versions call it an error when there is none.
  await docker('stack', 'rm', stackName).catch(() => {});
  const left = async () => {
    const containers = await docker('ps', '--all', '--quiet', '--filter', namespace);
    const networks = await docker('network', 'ls', '--quiet', '--filter', namespace);
    return containers.stdout + networks.stdout;
  };
  await until(async () => (await left()) === '', 180_000, left);
  const { stdout } = await docker('volume', 'ls', '--quiet', '--filter', namespace);
  const volumes = stdout.split('\n').filter(Boolean);
  if (volumes.length > 0) await docker('volume', 'rm', ...volumes);
}

export interface Task {
  /** Of its container. */
  id: string;
  image: string;
}

/** The tasks of a service that are healthy. */
export async function tasksOf(service: string): Promise<Task[]> {
  const { stdout } = await docker(
    ...['ps', '--no-trunc', '--filter', `label=com.docker.swarm.service.name=${stackName}_${service}`],
    ...['--filter', 'health=healthy', '--format', '{{.ID}} {{.Image}}'],
  );
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [id = '', image = ''] = line.split(' ');
      return { id, image };
    });
}

const inspected = z.tuple([
  z.object({
    Spec: z.object({ TaskTemplate: z.object({ ContainerSpec: z.object({ Image: z.string() }) }) }),
    UpdateStatus: z.object({ State: z.string(), Message: z.string() }).optional(),
  }),
]);

/** How far the last update of a service is (`updating`, `completed`, `rollback_completed` …), and the image it should have. */
export async function updateOf(service: string): Promise<{ state: string; message: string; image: string }> {
  const [found] = inspected.parse(JSON.parse((await docker('service', 'inspect', `${stackName}_${service}`)).stdout));
  const { State: state = '', Message: message = '' } = found.UpdateStatus ?? {};
  return { state, message, image: found.Spec.TaskTemplate.ContainerSpec.Image };
}

/** Begins the update of a service. */
export async function update(service: string, ...changes: string[]): Promise<void> {
  await docker('service', 'update', '--detach', '--no-resolve-image', ...changes, `${stackName}_${service}`);
}
