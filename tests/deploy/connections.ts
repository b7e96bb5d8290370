import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type Environment, loadConfig } from '@tradepost/shared/config';
import { serviceNames } from '@tradepost/shared/discovery';
import type { z } from 'zod';
import { root } from '../architecture/sourceFiles.ts';
import { environmentOf, type Secrets, settingsOf } from './environment.ts';
import { type Connection, type End, passes } from './network.ts';
import { type KubernetesObject, type Labels, named, selects, type Workload, workloadsIn } from './objects.ts';
import type { Violation } from './policy.ts';

/** An address of each kind outside of the cluster: in a private network, and in the world. */
const [privateAddress, publicAddress] = ['10.20.0.9', '54.187.174.169'];
const schemePorts: Readonly<Record<string, number>> = {
  'mongodb:': 27017,
  'amqp:': 5672,
  'amqps:': 5671,
  'redis:': 6379,
  'http:': 80,
  'https:': 443,
};
/** Where collectors of traces listen, as the compose file has it. */
const tracesPort = Number(
  /OTLP_ENDPOINT-http:\/\/[\w-]+:(\d+)/.exec(readFileSync(join(root, 'docker-compose.yml'), 'utf8'))?.[1],
);

const text = (path: string): string => readFileSync(join(root, path), 'utf8');

const callees = new Map<string, readonly string[]>();

/** Which services a process calls, from its source and from what all processes share. */
export function calleesOf(name: string): readonly string[] {
  const found = callees.get(name) ?? readCallees(name);
  callees.set(name, found);
  return found;
}

function readCallees(name: string): string[] {
  const sources = readdirSync(join(root, name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !/\.(test|testing)\.ts$/.test(path))
    .map(path => text(join(name, 'src', path)));
  const calls = [...sources, text('shared/processParts.ts')].flatMap(source => [
    ...source.matchAll(/(?:\bclient\(|callee: |^ {2}\['[^']+', )'([a-z]+-service)'/gm),
  ]);
  const known = new Set<string>(serviceNames);
  return [...new Set(calls.map(match => match[1] ?? ''))].filter(callee => known.has(callee));
}

/** A connection that is needed, and what for. */
export interface Needed extends Connection {
  why: string;
}

/**
 * The connections that the code makes with the settings that the manifests give it, and those that are made to it.
 * @returns also what cannot be connected because nothing listens there
 */
export function neededConnections(
  objects: readonly KubernetesObject[],
  secrets: Secrets,
): { needed: Needed[]; faults: Violation[] } {
  const needed: Needed[] = [];
  const faults: Violation[] = [];
  for (const workload of workloadsIn(objects)) {
    const from: End = { pod: workload.labels };
    const add = (why: string, to: End, port: number, protocol?: 'UDP') =>
      needed.push({ why: `${workload.id} → ${why}`, from, to, port, ...(protocol ? { protocol } : {}) });
    const { environment } = environmentOf(workload, objects, secrets);
    for (const [why, url] of addressesOf(workload, environment)) {
      const target = targetOf(url, objects);
      if (typeof target === 'string') faults.push(`${workload.id}: ${why}: ${target}`);
      else add(why, target.end, target.port);
    }
    if (workload.pod.containers[0]?.env) {
      add('names', { namespace: 'kube-system' }, 53);
      add('names', { namespace: 'kube-system' }, 53, 'UDP');
    }
    if (workload.pod.serviceAccountName) add('the API of the cluster', { address: '10.96.0.1' }, 443);
    if (settingsOf[workload.name]) add('traces', { namespace: 'monitoring' }, tracesPort);
    needed.push(...madeTo(workload));
  }
  return { needed, faults };
}

/** What clients and the collector of metrics reach. */
function madeTo({ id, name, labels, annotations }: Workload): Needed[] {
  const to: End = { pod: labels };
  const scraped = annotations['prometheus.io/scrape'] === 'true';
  return [
    ...(scraped
      ? [
          {
            ...{ why: `metrics → ${id}`, from: { namespace: 'monitoring' }, to },
            port: Number(annotations['prometheus.io/port']),
          },
        ]
      : []),
    ...(name === 'gateway' ? [{ why: `clients → ${id}`, from: { address: publicAddress }, to, port: 3000 }] : []),
  ];
}

/** The addresses among a process's settings that it really calls; several may stand in one setting. */
function addressesOf(workload: Workload, environment: Environment): [string, URL][] {
  const shape = settingsOf[workload.name];
  const settings: Record<string, unknown> = shape ? withDefaults(shape, environment) : environment;
  const called = shape ? calleesOf(workload.name) : [];
  return Object.entries(settings).flatMap(([name, value]): [string, URL][] => {
    const callee = /^(\w+)_SERVICE_URL$/.exec(name)?.[1];
    if (callee && !called.includes(`${callee.toLowerCase()}-service`)) return [];
    const parts = (Array.isArray(value) ? value : String(value ?? '').split(',')).map(String);
    return parts.filter(part => /^(mongodb|amqps?|rediss?|https?):\/\//.test(part)).map(part => [name, new URL(part)]);
  });
}

/** Settings that do not fit are another rule's matter. */
function withDefaults(shape: z.ZodRawShape, environment: Environment): Record<string, unknown> {
  try {
    return loadConfig(shape, environment);
  } catch (error) {
    if (error instanceof ConfigError) return environment;
    throw error;
  }
}

function targetOf(url: URL, objects: readonly KubernetesObject[]): { end: End; port: number } | string {
  const port = Number(url.port) || (schemePorts[url.protocol] ?? 0);
  const { hostname } = url;
  if (/^[\d.]+$/.test(hostname)) return { end: { address: privateAddress }, port };
  if (hostname.includes('.')) return { end: { address: publicAddress }, port };
  const service = named(objects, 'Service', hostname)?.spec;
  if (!service) return `there is no Service ${hostname}`;
  const pods = workloadsIn(objects).find(one => selects({ matchLabels: service.selector as Labels }, one.labels));
  const open = service.ports?.find(one => one.port === port);
  // A headless service gives the addresses of its pods, whose ports its own cannot change.
  const wanted = service.clusterIP === 'None' ? port : (open?.targetPort ?? port);
  const listening = pods?.pod.containers
    .flatMap(container => container.ports ?? [])
    .find(one => one.name === wanted || one.containerPort === wanted);
  if (!pods || !open || !listening) return `nothing listens at ${hostname}:${port}`;
  return { end: { pod: pods.labels }, port: listening.containerPort };
}

/** What is needed and not allowed, and what is allowed between the shop's pods, and out of them, and not needed. */
export function networkViolations(objects: readonly KubernetesObject[], secrets: Secrets): Violation[] {
  const { needed, faults } = neededConnections(objects, secrets);
  const refused = needed
    .filter(connection => !passes(objects, connection))
    .map(({ why, port }) => `${why}: no NetworkPolicy allows port ${port}`);
  const key = ({ from, to, port }: Connection) => JSON.stringify([from, to, port]);
  const wanted = new Set(needed.map(key));
  const excess = possibleConnections(objects)
    .filter(one => !wanted.has(key(one)) && passes(objects, one))
    .map(({ why, port }) => `${why}: port ${port} is open and nobody needs it`);
  return [...faults, ...refused, ...excess];
}

/** Every pair of pods by every port that listens, and every pod with the world by every port that has a meaning there. */
function possibleConnections(objects: readonly KubernetesObject[]): Needed[] {
  const workloads = workloadsIn(objects);
  const portsOf = ({ pod }: Workload) => pod.containers.flatMap(one => one.ports ?? []).map(one => one.containerPort);
  const inside = workloads.flatMap(target =>
    portsOf(target)
      // Whoever it is, the gateway takes them.
      .filter(port => !(target.name === 'gateway' && port === 3000))
      .flatMap(port => [
        ...workloads.map(source => ({
          ...{ why: `${source.id} → ${target.id}`, from: { pod: source.labels }, to: { pod: target.labels }, port },
        })),
        { why: `another namespace → ${target.id}`, from: { namespace: 'default' }, to: { pod: target.labels }, port },
        { why: `the world → ${target.id}`, from: { address: publicAddress }, to: { pod: target.labels }, port },
      ]),
  );
  const outside = workloads
    .filter(source => source.pod.serviceAccountName === undefined)
    .flatMap(source =>
      [privateAddress, publicAddress].flatMap(address =>
        [...new Set(Object.values(schemePorts)), 8500].map(port => ({
          ...{ why: `${source.id} → ${address}`, from: { pod: source.labels }, to: { address }, port },
        })),
      ),
    );
  return [...inside, ...outside];
}
