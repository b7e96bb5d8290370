import { flushCompileCache } from 'node:module';
import { readSettings } from '@tradepost/local/settings';
import { startShop } from '@tradepost/local/startShop';
import { seeded } from '@tradepost/shared/testing/seeded';
import { obedientFailpoint } from './failpoints.ts';

/** The whole shop in a process that ends or stops itself where its parent tells it to. */
const { CHAOS_ORDERS = '{}', CHAOS_SEED = '1' } = process.env;
const shop = await startShop(
  readSettings(process.env, []),
  text => process.stderr.write(text),
  obedientFailpoint(JSON.parse(CHAOS_ORDERS), seeded(Number(CHAOS_SEED))),
);
// A killed process keeps nothing of what it compiled, and most of these end so.
flushCompileCache();
process.send?.({ url: shop.ports.gateway.url, admin: shop.admin, mongodbUri: shop.mongodbUri });
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
