import { systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { createConnection } from '@tradepost/shared/mongo';
import { crashKind, thing } from '@tradepost/shared/testing/busSuiteTools';
import { startDocumentStore } from '../store/documentStore.ts';
import { createLocalBus } from './localBus.ts';

/**
 * A process for tests to kill: store file, bus, a publisher and a consumer in one, as in the shop. Says on standard
 * output what was published and, before it acknowledges them, which messages were handled.
 * Arguments: store file, first number to publish.
 */
const [path, first] = process.argv.slice(2) as [string, string];
const store = await startDocumentStore({ path, port: 0 });
const connection = createConnection(store.uri('bus'));
const bus = await createLocalBus({
  connection,
  clock: systemClock,
  newId,
  logger: silentLogger(),
  exclusive: true,
  pollMs: 50,
});
const say = (line: string) => void process.stdout.write(`${line}\n`);
await bus.subscribe({
  service: 'crash-service',
  message: crashKind,
  handle: async message => {
    await new Promise(resolve => setTimeout(resolve, message.data.n % 7));
    say(`handled ${message.data.n}`);
  },
});
for (let n = Number(first); ; n += 5) {
  await Promise.all(
    [n, n + 1, n + 2, n + 3, n + 4].map(async one => {
      await bus.publish(crashKind.exchange, thing(crashKind, one));
      say(`published ${one}`);
    }),
  );
}
