/** Keeps account of running work, so that a stopping service can wait for what its requests have left behind. */
export function createTracker() {
  const running = new Set<Promise<unknown>>();
  return {
    track<T>(work: Promise<T>): Promise<T> {
      const ended = work.then(
        () => {},
        () => {},
      );
      running.add(ended);
      void ended.then(() => running.delete(ended));
      return work;
    },
    /** Resolves when nothing runs any more; every piece of work has a bound of its own. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
