/** Bounds how much a caller adds to the load of a callee that is failing already. */
export interface RetryBudget {
  /** A call was made, however many tries it takes. */
  called(): void;
  /** Takes one retry; false when there is none left. */
  take(): boolean;
}

const [share, perSecond, most] = [0.1, 1, 20];

/**
 * Retries for a tenth of the calls and one a second beside (Google's SRE book, "Handling Overload"); up to 20 are saved.
 * @param now milliseconds that only grow
 */
export function createRetryBudget(now: () => number): RetryBudget {
  let [left, at] = [most, now()];
  const add = (retries: number) => {
    left = Math.min(most, left + retries);
  };
  return {
    called: () => add(share),
    take() {
      const passedMs = now() - at;
      at += passedMs;
      add((passedMs / 1_000) * perSecond);
      // Tenths do not add up exactly.
      if (left < 1 - 1e-9) return false;
      left -= 1;
      return true;
    },
  };
}
