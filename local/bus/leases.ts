import type { Clock } from '@tradepost/shared/clock';

/** Messages that this bus instance holds, and until when. */
export interface Leases {
  take(id: string): void;
  drop(id: string): void;
  isHeld(id: string): boolean;
  /** Renews those that have used up a third of their time. */
  renew(): Promise<void>;
}

export function createLeases(clock: Clock, leaseMs: number, extend: (ids: string[]) => Promise<void>): Leases {
  const takenAt = new Map<string, number>();
  return {
    take: id => takenAt.set(id, clock().getTime()),
    drop: id => takenAt.delete(id),
    isHeld: id => takenAt.has(id),
    async renew() {
      const now = clock().getTime();
      const ids = [...takenAt].filter(([, at]) => now - at >= leaseMs / 3).map(([id]) => id);
      if (ids.length === 0) return;
      await extend(ids);
      for (const id of ids) if (takenAt.has(id)) takenAt.set(id, now);
    },
  };
}
