import { startDocumentStoreThread } from './documentStoreThread.ts';

/** A store in a process of its own, for tests that kill it: `node storeProcess.ts FILE`. Prints its port. */
const store = await startDocumentStoreThread({ path: process.argv[2]!, port: 0 });
process.stdout.write(`${store.port}\n`);
