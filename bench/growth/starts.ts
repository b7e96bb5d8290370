import { setTimeout as sleep } from 'node:timers/promises';
import { isReady } from '../../tests/real/realShop.ts';
import type { Branch } from './branch.ts';

const limitMs = 60_000;

/**
 * Kills order-service, whose keeper starts it again.
 * @returns milliseconds from the start of the new process until it says that it is ready
 */
export async function timeStart({ shop }: Branch): Promise<number> {
  const [instance] = shop.instances('order-service');
  if (!instance) throw new Error('order-service does not run');
  const old = instance.process.pid();
  instance.process.signal('SIGKILL');
  const until = performance.now() + limitMs;
  const wait = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await isSo())) {
      if (performance.now() > until) throw new Error(`order-service is not ready after ${limitMs} ms`);
      await sleep(5);
    }
  };
  await wait(() => {
    const pid = instance.process.pid();
    return pid !== undefined && pid !== old;
  });
  const began = performance.now();
  await wait(() => isReady(instance));
  return performance.now() - began;
}
