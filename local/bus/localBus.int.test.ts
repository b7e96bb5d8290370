import { systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { createConnection } from '@tradepost/shared/mongo';
import { busSuite } from '@tradepost/shared/testing/busSuite';
import { startTestDatabase } from '../testing.ts';
import { createLocalBus } from './localBus.ts';

busSuite('in-process bus', async () => {
  const database = await startTestDatabase();
  const connection = createConnection(database.uri('bus'));
  return {
    create: options =>
      createLocalBus({ connection, clock: systemClock, newId, logger: silentLogger(), pollMs: 50, ...options }),
    listenersSpanInstances: false,
    async close() {
      await connection.dropDatabase();
      await connection.close();
      await database.close();
    },
  };
});
