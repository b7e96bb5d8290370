import type { ServiceName } from '@tradepost/shared/discovery';
import type { Coefficients } from './coefficients.ts';
import type { Usage } from './usage.ts';
import type { Workload } from './workload.ts';

/**
 * Bytes on disk that an order leaves in a service's database.
 * @returns `bytes` at first, `keptDays` bytes times the days for which they stay
 */
export function storedBytesPerOrder(
  { diskPerByte, keptSeconds }: Coefficients,
  perOrder: Usage,
  { retentionDays }: Workload,
  name: ServiceName,
): { bytes: number; keptDays: number } {
  const result = { bytes: 0, keptDays: 0 };
  for (const [collection, amount] of Object.entries(perOrder.storedBytes ?? {})) {
    // The ledger of the simulated provider is not there in a real shop.
    if (!collection.startsWith(`${name} `) || collection.endsWith(' provider_charges')) continue;
    const bytes = amount * (diskPerByte[name] ?? 1);
    result.bytes += bytes;
    const kept = keptSeconds[collection];
    result.keptDays += bytes * (kept === undefined ? retentionDays : Math.min(retentionDays, kept / 86_400));
  }
  return result;
}
