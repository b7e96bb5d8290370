import { Worker } from 'node:worker_threads';
import type { DocumentStore, DocumentStoreOptions } from './documentStore.ts';

/** Settings of a store in a thread of its own: those of a store but the clock, which cannot be handed over. */
export interface ThreadOptions extends Omit<DocumentStoreOptions, 'clock'> {
  /** Called when the thread ends without `close`: the store is gone then, and all its connections. */
  onCrash?: (error: Error) => void;
  /** Limit of the thread's heap in MB; Node's own by default. */
  maxHeapMb?: number;
}

/** What the thread is asked, and what it answers; `id` pairs them. */
export type ThreadRequest = { id: number; command: 'sweepExpired' | 'close' };
export type ThreadAnswer =
  | { kind: 'ready'; port: number; uri: string }
  | { kind: 'unusable'; message: string; code: string | undefined }
  | { kind: 'result'; id: number; result: number | undefined }
  | { kind: 'failed'; id: number; message: string };

/**
 * Starts the store in a worker thread of this process, so that its synchronous reads and fsyncs never block the
 * caller's event loop. Rejects as `startDocumentStore` does.
 */
export function startDocumentStoreThread(options: ThreadOptions): Promise<DocumentStore> {
  const { onCrash, maxHeapMb, ...settings } = options;
  const worker = new Worker(new URL('./documentStoreWorker.ts', import.meta.url), {
    workerData: settings,
    ...(maxHeapMb === undefined ? undefined : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } }),
  });
  const waiting = new Map<number, { resolve(result: number | undefined): void; reject(error: Error): void }>();
  let ids = 0;
  let closing = false;
  /** Why the thread is gone, once it is. */
  let ended: Error | undefined;

  function ask(command: ThreadRequest['command']): Promise<number | undefined> {
    if (ended) return Promise.reject(ended);
    const id = ++ids;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, command } satisfies ThreadRequest);
    });
  }

  function take(id: number) {
    const call = waiting.get(id);
    waiting.delete(id);
    return call;
  }

  return new Promise((resolve, reject) => {
    let ready = false;
    let crash: Error | undefined;
    worker.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'ready') {
        ready = true;
        resolve(handle(answer.port, answer.uri));
      } else if (answer.kind === 'unusable') {
        reject(Object.assign(new Error(answer.message), { code: answer.code }));
      } else if (answer.kind === 'result') take(answer.id)?.resolve(answer.result);
      else take(answer.id)?.reject(new Error(answer.message));
    });
    worker.on('error', error => {
      crash = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', code => {
      const reason = crash?.message ?? `exit code ${code}`;
      const error = new Error(`the document store's thread ended (${reason})`, { cause: crash });
      ended = error;
      for (const call of waiting.values()) call.reject(error);
      waiting.clear();
      if (!ready) reject(error);
      else if (!closing) onCrash?.(error);
    });
  });

  function handle(port: number, uri: string): DocumentStore {
    return {
      uri: dbName => uri.replace('DB_NAME', dbName),
      port,
      sweepExpired: async () => (await ask('sweepExpired')) ?? 0,
      async close() {
        if (closing || ended) return;
        closing = true;
        await ask('close');
        await worker.terminate();
      },
    };
  }
}
