import { parentPort, workerData } from 'node:worker_threads';
import { type DocumentStore, type DocumentStoreOptions, startDocumentStore } from './documentStore.ts';
import type { ThreadAnswer, ThreadRequest } from './documentStoreThread.ts';

/** The store's side of `startDocumentStoreThread`. */
function answer(message: ThreadAnswer): void {
  parentPort!.postMessage(message);
}

async function obey(store: DocumentStore, { id, command }: ThreadRequest): Promise<void> {
  try {
    if (command === 'sweepExpired') answer({ kind: 'result', id, result: await store.sweepExpired() });
    else {
      await store.close();
      answer({ kind: 'result', id, result: undefined });
    }
  } catch (error) {
    answer({ kind: 'failed', id, message: (error as Error).message });
  }
}

try {
  const store = await startDocumentStore(workerData as DocumentStoreOptions);
  parentPort!.on('message', (request: ThreadRequest) => void obey(store, request));
  answer({ kind: 'ready', port: store.port, uri: store.uri('DB_NAME') });
} catch (error) {
  answer({ kind: 'unusable', message: (error as Error).message, code: (error as NodeJS.ErrnoException).code });
}
