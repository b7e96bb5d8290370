/** A request waiting for its turn. One of `done` and `failed` is called, once, when all it did is durable or undone. */
export interface Job {
  run(): void;
  done(): void;
  failed(error: unknown): void;
}

/** The transaction that the jobs of a turn share. */
export interface Transaction {
  inTransaction(): boolean;
  /** Throws when the transaction cannot be made durable; then nothing of it remains. */
  commit(): void;
  rollback(): void;
}

export interface Turns {
  submit(job: Job): void;
  /** Forgets the jobs still waiting. */
  close(): void;
}

/**
 * Group commit. The jobs that arrived in one turn of the event loop run one after another in one transaction, and all
 * are told that they are done, also those that only read, after its commit: nothing is ever seen that is not durable.
 * When the commit fails, or a job throws (a failure of SQLite, not a refused document), all jobs since the first write
 * have failed and nothing of them remains. A turn ends after `turnMs`, so that those who came first need not wait for
 * everybody.
 */
export function createTurns(transaction: Transaction, turnMs = 20): Turns {
  let waiting: Job[] = [];
  let scheduled: NodeJS.Immediate | undefined;

  function schedule(): void {
    scheduled ??= setImmediate(turn);
  }

  function turn(): void {
    scheduled = undefined;
    const jobs = waiting;
    waiting = [];
    const until = performance.now() + turnMs;
    let firstWrite: number | undefined;
    let failure: { error: unknown } | undefined;
    let ran = 0;
    while (ran < jobs.length && !failure && performance.now() <= until) {
      failure = attempt(() => jobs[ran]!.run());
      if (transaction.inTransaction()) firstWrite ??= ran;
      ran++;
    }
    const broken = failure && ran - 1;
    if (failure) transaction.rollback();
    else failure = attempt(() => transaction.commit());
    for (let i = 0; i < ran; i++) {
      if (failure && (i === broken || i >= (firstWrite ?? ran))) jobs[i]!.failed(failure.error);
      else jobs[i]!.done();
    }
    if (ran < jobs.length) waiting = jobs.slice(ran).concat(waiting);
    if (waiting.length > 0) schedule();
  }

  return {
    submit(job) {
      waiting.push(job);
      schedule();
    },
    close() {
      clearImmediate(scheduled);
      waiting = [];
    },
  };
}

function attempt(run: () => void): { error: unknown } | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return { error };
  }
}
