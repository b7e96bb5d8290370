import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StartError } from '@tradepost/shared/lifecycle';
import { gatewayConfig } from '../gateway.ts';
import { localHost } from '../ports.ts';
import { serviceFactories } from '../services.ts';
import { type EnvironmentOptions, environmentOf } from './environment.ts';
import { type KeptProcess, keepRunning } from './keepRunning.ts';
import type { Place } from './ports.ts';
import type { ProcessName } from './settings.ts';

/** One running instance. */
export interface Instance extends Place {
  process: KeptProcess;
}

/** All processes of the shop. */
export interface Fleet {
  instances: readonly Instance[];
  /** Waits until every gateway is ready. @throws StartError that names what is not */
  ready(limitMs: number): Promise<void>;
  /** Ends gateways, then order-service, whose sagas need the others, then the rest; each has 15 s. */
  stop(): Promise<void>;
}

export interface FleetOptions extends EnvironmentOptions {
  /** Folder of the release that an instance runs, asked for at each of its starts; this one's but in tests of upgrades. */
  rootOf?(place: Place): string;
}

const stopMs = 15_000;
const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Starts the processes.
 * @param lineTo where a process's lines go, by its place and number
 * @throws ConfigError that names every setting which is wrong, before anything is started
 */
export function startFleet(
  options: FleetOptions,
  lineTo: (place: Place, index: number) => (text: string) => void,
): Fleet {
  checkSettings(options);
  const instances = options.places.map(
    (place, index): Instance => ({
      ...place,
      process: keepRunning({
        script: () => join(options.rootOf?.(place) ?? root, place.service, 'src', 'index.ts'),
        environment: environmentOf(place, options),
        line: lineTo(place, index),
        random: Math.random,
      }),
    }),
  );
  return {
    instances,
    async ready(limitMs) {
      const gateways = instances.filter(one => one.service === 'gateway');
      const ended = await Promise.all(gateways.map(one => readyWithin(one, limitMs)));
      const waiting = gateways.filter((_, index) => !ended[index]);
      if (waiting.length === 0) return;
      throw new StartError(`Not ready after ${limitMs / 1_000} s: ${await whatIsMissing(waiting[0] as Instance)}`);
    },
    async stop() {
      const turns: ((name: ProcessName) => boolean)[] = [
        name => name === 'gateway',
        name => name === 'order-service',
        name => name !== 'gateway' && name !== 'order-service',
      ];
      for (const isNow of turns) {
        await Promise.all(instances.filter(one => isNow(one.service)).map(one => one.process.stop(stopMs)));
      }
    },
  };
}

/** A setting that does not fit would end its process again and again. */
function checkSettings({ settings, secrets, admin }: EnvironmentOptions): void {
  gatewayConfig(settings.environment);
  serviceFactories({
    ...settings.environment,
    TOKEN_KEY_SECRET: secrets.tokenKeySecret,
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
  });
}

async function readyWithin({ port }: Place, limitMs: number): Promise<boolean> {
  for (const until = performance.now() + limitMs; performance.now() < until; await sleep(100)) {
    if ((await ask(port, '/health/ready'))?.ok) return true;
  }
  return false;
}

async function whatIsMissing({ name, port }: Place): Promise<string> {
  const health = (await (await ask(port, '/health'))?.json().catch(() => undefined)) as
    | { checks?: Record<string, { status: string }> }
    | undefined;
  if (!health?.checks) return name;
  const down = Object.entries(health.checks).filter(([, check]) => check.status === 'down');
  return down.map(([service]) => service).join(', ') || name;
}

const ask = (port: number, path: string): Promise<Response | undefined> =>
  fetch(`http://${localHost}:${port}${path}`, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
