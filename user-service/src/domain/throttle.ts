/** Failures after which an account takes no more attempts for a while. */
export const maxFailures = 10;
/** Milliseconds for which a failure counts. */
export const failureWindowMs = 15 * 60_000;

/**
 * Seconds until one of the failures no longer counts; 0 when an attempt is free now.
 * @param failures times of the latest failures, at most `maxFailures`, oldest first
 */
export function secondsUntilAttempt(failures: readonly Date[], now: Date): number {
  const [oldest] = failures;
  if (failures.length < maxFailures || !oldest) return 0;
  return Math.max(0, Math.ceil((oldest.getTime() + failureWindowMs - now.getTime()) / 1000));
}
