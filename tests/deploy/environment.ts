import { makeClusterSecrets, type SecretsApi } from '@tradepost/local/secrets/clusterSecrets';
import { commonSettings, databaseSettings, type Environment, loadConfig } from '@tradepost/shared/config';
import type { z } from 'zod';
import { settings as gateway } from '../../gateway/src/config.ts';
import { settings as inventory } from '../../inventory-service/src/config.ts';
import { settings as order } from '../../order-service/src/config.ts';
import { settings as payment } from '../../payment-service/src/config.ts';
import { settings as product } from '../../product-service/src/config.ts';
import { settings as user } from '../../user-service/src/config.ts';
import { type KubernetesObject, named, type Overlay, type Workload } from './objects.ts';

/** The settings that each process reads. */
export const settingsOf: Record<string, z.ZodRawShape> = {
  gateway: { ...commonSettings, ...gateway },
  'user-service': { ...commonSettings, ...databaseSettings, ...user },
  'product-service': { ...commonSettings, ...databaseSettings, ...product },
  'inventory-service': { ...commonSettings, ...databaseSettings, ...inventory },
  'order-service': { ...commonSettings, ...databaseSettings, ...order },
  'payment-service': { ...commonSettings, ...databaseSettings, ...payment },
};

/** What every process reads beside them: Node's own, and OpenTelemetry's. */
export const isForeign = (name: string): boolean => name === 'NODE_OPTIONS' || name.startsWith('OTEL_');

/** Secrets by their names. */
export type Secrets = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The Secrets that are in the cluster: the Job of the demo makes them, an operator does after the manual. */
export async function secretsOf(overlay: Overlay): Promise<Secrets> {
  const secrets = new Map<string, Record<string, string>>();
  const api: SecretsApi = {
    read: async name => secrets.get(name),
    create: async (name, values) => !secrets.has(name) && secrets.set(name, { ...values }) !== undefined,
  };
  await makeClusterSecrets(api);
  if (overlay === 'demo') return secrets;
  const password = 'a-Password-of-theirs';
  // With and without TLS, as either may be what the operator has.
  const broker = `amqps://shop:${password}@10.20.0.5:5671,amqp://shop:${password}@10.20.0.4:5672`;
  const own = Object.keys(settingsOf).map((name): [string, Record<string, string>] => {
    const store: Record<string, string> =
      name === 'gateway'
        ? { 'redis-url': 'redis://10.20.0.6:6379' }
        : { 'mongodb-uri': `mongodb://shop:${password}@10.20.0.7:27017/${name}` };
    return [name, { ...secrets.get(name), 'rabbitmq-url': broker, ...store }];
  });
  return new Map(own);
}

/** What a workload's process finds in its environment, with what its files hold put in their place. */
export function environmentOf(
  workload: Workload,
  objects: readonly KubernetesObject[],
  secrets: Secrets,
): { environment: Environment; missing: string[] } {
  const [container] = workload.pod.containers;
  const environment: Record<string, string> = {};
  const missing: string[] = [];
  for (const { configMapRef } of container?.envFrom ?? []) {
    const map = named(objects, 'ConfigMap', configMapRef?.name);
    if (!map) missing.push(`${workload.id}: no ConfigMap ${configMapRef?.name}`);
    Object.assign(environment, map?.data);
  }
  const secretName = workload.pod.volumes?.find(volume => volume.name === 'secrets')?.secret?.secretName ?? '';
  for (const { name, value = '' } of container?.env ?? []) {
    const key = /^\/run\/secrets\/([\w-]+)$/.exec(value)?.[1];
    if (!name.endsWith('_FILE')) environment[name] = value;
    else {
      const found = key === undefined ? undefined : secrets.get(secretName)?.[key];
      if (found === undefined) missing.push(`${workload.id}: ${name} is ${value}, which Secret ${secretName} has not`);
      environment[name.slice(0, -'_FILE'.length)] = found ?? '';
    }
  }
  return { environment, missing };
}

/** What is wrong with the settings of the shop's own services: unknown names, missing files, values that do not fit. */
export function settingFaults(
  workloads: readonly Workload[],
  objects: readonly KubernetesObject[],
  secrets: Secrets,
): string[] {
  return workloads.flatMap(workload => {
    const shape = settingsOf[workload.name];
    if (!shape) return [];
    const { environment, missing } = environmentOf(workload, objects, secrets);
    const own = workload.pod.containers[0]?.env ?? [];
    const unknown = own
      .map(({ name }) => name.replace(/_FILE$/, ''))
      .filter(name => !(name in shape) && !isForeign(name))
      .map(name => `${workload.id}: nothing reads ${name}`);
    try {
      loadConfig(shape, environment);
      return [...missing, ...unknown];
    } catch (error) {
      return [...missing, ...unknown, `${workload.id}: ${(error as Error).message}`];
    }
  });
}
