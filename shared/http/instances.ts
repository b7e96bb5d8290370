import type { Discovery, ServiceName } from '../discovery.ts';

/** The instances of services, in the order in which they should be tried. */
export interface Instances {
  /** Base addresses; those that failed a moment ago come last. */
  of(service: ServiceName): readonly string[];
  /** An instance could not be reached or did not answer in time. */
  failed(address: string): void;
}

/** How long an instance that failed is asked only when no other is left. */
const coolingMs = 3_000;

/**
 * Takes the instances in turn as discovery does, which learns late or, with fixed addresses, never that one has stopped
 * answering.
 * @param now milliseconds that only grow
 */
export function createInstances(discovery: Discovery, now: () => number = () => performance.now()): Instances {
  const coolingUntil = new Map<string, number>();
  function isCooling(address: string): boolean {
    const until = coolingUntil.get(address);
    if (until === undefined) return false;
    if (now() < until) return true;
    coolingUntil.delete(address);
    return false;
  }
  return {
    of(service) {
      const all = discovery.instances(service);
      if (coolingUntil.size === 0 || all.length < 2) return all;
      const cooling = all.filter(isCooling);
      return cooling.length === 0 ? all : [...all.filter(address => !cooling.includes(address)), ...cooling];
    },
    failed: address => void coolingUntil.set(address, now() + coolingMs),
  };
}
