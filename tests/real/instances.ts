import type { Instance } from '@tradepost/local/processes/fleet';
import { isReady, until } from './realShop.ts';

const recoveryMs = 60_000;

/** Ends an instance by a signal, and waits until it has been started again and is ready. */
export async function restart(instance: Instance, signal: NodeJS.Signals): Promise<void> {
  const restarts = instance.process.restarts();
  instance.process.signal(signal);
  await until(async () => instance.process.restarts() > restarts && (await isReady(instance)), recoveryMs);
}

/** Waits until Consul says that so many instances are healthy. */
export async function untilKnown(consulUrl: string, service: string, count: number): Promise<void> {
  let checks: { Checks: { Status: string; Output: string }[] }[] = [];
  await until(
    async () => {
      const answer = await fetch(`${consulUrl}/v1/health/service/${service}`);
      checks = (await answer.json()) as typeof checks;
      return checks.filter(({ Checks }) => Checks.every(({ Status }) => Status === 'passing')).length === count;
    },
    recoveryMs,
    () => [service, checks.map(({ Checks }) => Checks.map(({ Status, Output }) => `${Status} ${Output}`))],
  );
}
