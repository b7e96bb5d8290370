import { enableCompileCache, flushCompileCache } from 'node:module';
import { runProgram } from '@tradepost/shared/lifecycle';
import { readSettings } from './settings.ts';

// Whoever read the output may be gone; the shop goes on without.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

await runProgram(async () => {
  const settings = readSettings(process.env, process.argv.slice(2));
  // What is imported from here on is compiled once and kept in the system's temporary folder: half of the start.
  enableCompileCache();
  const [{ startShop }, { welcome }] = await Promise.all([import('./startShop.ts'), import('./welcome.ts')]);
  const shop = await startShop(settings, text => process.stderr.write(text));
  process.stdout.write(welcome(shop, settings, performance.now() / 1_000));
  flushCompileCache();
  return {
    async stop() {
      process.stdout.write('\nStopping …\n');
      await shop.stop();
    },
  };
});
