import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@tradepost/shared/lifecycle';
import { tryRabbit } from '@tradepost/shared/messaging/rabbitConnection';
import { createConnection } from '@tradepost/shared/mongo';
import { unreachable } from '../infrastructure.ts';
import type { ProcessSettings } from './settings.ts';

const answerLimitMs = 3_000;

/**
 * Waits until every server that the settings name answers.
 * @param limitMs how long they may take to come, all together
 * @throws StartError with a line for each that does not
 */
export async function waitForServers(settings: ProcessSettings, limitMs: number): Promise<void> {
  const { databases, rabbitmqUrl, consulUrl } = settings;
  const checks: [what: string, uri: string, check: () => Promise<unknown>][] = [
    ...[...new Map(Object.values(databases).map(uri => [serverOf(uri), uri]))].map(
      ([server, uri]): (typeof checks)[number] => ['MONGODB_URI: no MongoDB', server, () => askDatabase(uri)],
    ),
    ['RABBITMQ_URL: no RabbitMQ', rabbitmqUrl, () => tryRabbit(rabbitmqUrl, answerLimitMs)],
  ];
  if (consulUrl) checks.push(['CONSUL_URL: no Consul', consulUrl, () => askConsul(consulUrl)]);
  const until = performance.now() + limitMs;
  const missing = await Promise.all(
    checks.map(async ([what, uri, check]) => {
      const error = await persist(check, until);
      return error && `${unreachable(what, uri).message} (${error.message || error.name})`;
    }),
  );
  const lines = missing.filter(line => line !== undefined);
  if (lines.length > 0) throw new StartError(lines.join('\n'));
}

/** @returns what went wrong last, if it never went right */
async function persist(check: () => Promise<unknown>, until: number): Promise<Error | undefined> {
  for (;;) {
    try {
      await check();
      return undefined;
    } catch (error) {
      if (performance.now() >= until) return error as Error;
      await sleep(200);
    }
  }
}

/** The address without the database, which says nothing of where the server is. */
const serverOf = (uri: string): string => uri.replace(/^([^:]+:\/\/[^/]+)\/.*$/, '$1');

async function askDatabase(uri: string): Promise<void> {
  const connection = createConnection(uri);
  try {
    await connection.asPromise();
  } finally {
    await connection.close();
  }
}

const askConsul = (url: string): Promise<unknown> =>
  fetch(`${url}/v1/status/leader`, { signal: AbortSignal.timeout(answerLimitMs) });
