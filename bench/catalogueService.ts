import { settings } from '../product-service/src/config.ts';
import { startTestShop } from '../product-service/src/products.testing.ts';

/** product-service alone in a process, on the database that TEST_MONGODB_URI names, so that its memory can be told. */
const shop = await startTestShop({ cacheSize: settings.PRODUCT_CACHE_SIZE.parse(undefined), idleMs: 60_000 });
let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 50);
process.on('message', (message: string) => {
  if (message === 'memory') process.send?.({ rss: process.memoryUsage.rss(), peak });
});
process.once('disconnect', () => {
  clearInterval(watch);
  void shop.close();
});
process.send?.({ url: shop.url, admin: shop.admin });
