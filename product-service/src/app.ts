import { createGroupedReads } from '@tradepost/shared/groupedReads';
import { createGroupedUpdates } from '@tradepost/shared/groupedUpdates';
import type { Consumer } from '@tradepost/shared/messaging/eventBus';
import { createOutboxRelay } from '@tradepost/shared/messaging/outbox';
import { type Service, type ServiceDependencies, wireService } from '@tradepost/shared/service';
import type { ProductConfig } from './config.ts';
import { createProductController } from './controllers/productController.ts';
import { createTransferController } from './controllers/transferController.ts';
import { createCatalogue, createMoments } from './domain/catalogue.ts';
import type { Product } from './domain/product.ts';
import { createPublishers } from './events/publishers.ts';
import { type SubscriberDependencies, subscribe } from './events/subscribers.ts';
import { createProductModel, withoutMessages } from './models/productModel.ts';
import { productRoutes } from './routes/productRoutes.ts';
import { type ApplyStockDependencies, applyStock } from './services/applyStock.ts';
import { createCatalogueFeed } from './services/catalogueFeed.ts';
import { listProducts } from './services/listProducts.ts';
import { lookupProducts } from './services/lookupProducts.ts';
import { createImportCounter, watchCatalogue } from './services/metrics.ts';
import { createProductCache } from './services/productCache.ts';
import { exportProducts } from './services/transfer/exportProducts.ts';
import { importProducts } from './services/transfer/importProducts.ts';
import { changeProduct, createProduct, type WriteDependencies } from './services/writeProduct.ts';

/** Wires product-service: the catalogue in memory, its feed, the routes and the messages. */
export function createApp(dependencies: ServiceDependencies, config: ProductConfig): Service {
  const { connection, bus, clock, newId, random, logger, registry } = dependencies;
  const model = createProductModel(connection);
  const catalogue = createCatalogue(createMoments(clock));
  const hearsChanges = () => bus.status() === 'up';
  const cache = createProductCache({ model, size: config.PRODUCT_CACHE_SIZE, hearsChanges, clock });
  const feed = createCatalogueFeed(model, catalogue, cache);
  const relay = createOutboxRelay({ sources: [model], bus, clock, newId, logger, registry });
  const write: WriteDependencies = {
    model,
    publishers: createPublishers(newId, clock),
    clock,
    newId,
    random,
    onWritten(products) {
      feed.written(products);
      relay.wake();
    },
  };
  const stockTaking: ApplyStockDependencies = {
    readProduct: createGroupedReads<Product>(model, withoutMessages),
    updateInGroup: createGroupedUpdates(model),
    publishers: write.publishers,
    onStock(product, toldOthers) {
      feed.written([product]);
      if (toldOthers) relay.wake();
    },
  };
  const interests: SubscriberDependencies = {
    bus,
    applyStock: change => applyStock(change, stockTaking),
    productChanged: (id, version) => feed.changed(id, known => !known || known.version < version),
    availabilityChanged: (id, version) => feed.changed(id, known => !known || known.stockVersion < version),
    reload: () => feed.load(),
  };
  const countRows = createImportCounter(registry);
  watchCatalogue(registry, catalogue);
  let consumers: Consumer[] = [];
  return wireService(
    {
      name: 'product-service',
      routes: productRoutes(
        createProductController({
          catalogue,
          listProducts: query => listProducts(query, catalogue, cache),
          readProducts: ids => cache.getMany(ids),
          lookupProducts: ids => lookupProducts(model, ids),
          createProduct: given => createProduct(given, write),
          changeProduct: (id, wanted, allows) => changeProduct(id, wanted, allows, write),
        }),
        createTransferController({
          async importFile(type, source) {
            const result = await importProducts(type, source, config.STREAM_IDLE_MS, write);
            countRows(result);
            return result;
          },
          exportFile: () => exportProducts(model, config.STREAM_IDLE_MS),
        }),
      ),
      async start() {
        // Heard before loaded: what changes meanwhile is not missed. A start that failed is begun again.
        if (consumers.length === 0) consumers = await subscribe(interests);
        await feed.load();
        relay.start();
      },
      async stop() {
        await Promise.all(consumers.map(consumer => consumer.stop()));
        await relay.stop();
      },
    },
    dependencies,
  );
}
