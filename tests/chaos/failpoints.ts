import { setTimeout as sleep } from 'node:timers/promises';
import { orderFailpoints } from '../../order-service/src/domain/failpoints.ts';
import { paymentFailpoints } from '../../payment-service/src/domain/failpoints.ts';

const inventoryFailpoints = [
  ...['reserve', 'giveBack', 'pin', 'commit', 'release', 'expire'].flatMap(name => [
    `inventory.${name}.beforeWrite`,
    `inventory.${name}.afterWrite`,
  ]),
  'inventory.open.beforeWrite',
  'inventory.open.afterWrite',
  'inventory.drain.beforeLedger',
  'inventory.drain.afterLedger',
  'inventory.drain.afterPull',
  'inventory.publish.before',
  'inventory.publish.after',
];

/** Points that a shop without Stripe never comes to. */
const elsewhere = /^payment\.webhook\.|^provider\.cancel\./;

/** Every named point that the load of these tests comes to. */
export const failpoints: readonly string[] = [...orderFailpoints, ...inventoryFailpoints, ...paymentFailpoints].filter(
  name => !elsewhere.test(name),
);

/** What the parent tells the shop to do at its points. */
export interface Orders {
  /** At the n-th time that the point is reached from now on. */
  arm?: Armed | undefined;
  /** Milliseconds to wait at a point, now and then, so that races are met which a quick machine never shows. */
  delays?: readonly Delay[];
}

export interface Armed {
  point: string;
  hit: number;
  fault: 'kill' | 'freeze';
}

export interface Delay {
  point: string;
  /** Longest wait; each is uniform between 0 and this. */
  ms: number;
  oneIn: number;
}

/** What the shop says when it has stopped at a point and waits for its SIGCONT. */
export const frozen = 'frozen';

/** A failpoint that does what it is told, at first by `orders` and then by messages from the parent process. */
export function obedientFailpoint(orders: Orders, random: () => number): (name: string) => Promise<void> | void {
  let [current, hits] = [orders, 0];
  process.on('message', (message: Orders) => {
    [current, hits] = [message, 0];
  });
  return name => {
    if (current.arm?.point === name) {
      hits += 1;
      if (hits === current.arm.hit) {
        if (current.arm.fault === 'freeze') return freeze();
        process.kill(process.pid, 'SIGKILL');
      }
    }
    const delay = current.delays?.find(one => one.point === name);
    return delay && random() * delay.oneIn < 1 ? sleep(random() * delay.ms) : undefined;
  };
}

/** Resolves when somebody has sent SIGCONT. */
const freeze = () =>
  new Promise<void>(resolve => {
    process.send?.(frozen, () => {
      process.kill(process.pid, 'SIGSTOP');
      resolve();
    });
  });
