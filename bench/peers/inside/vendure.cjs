/**
 * Vendure's server, its worker, or the filling of its database, inside the folder where Vendure is installed.
 *
 *   node vendure.cjs server|worker|fill
 *
 * DATABASE_PORT and PORT are ports of 127.0.0.1 (the worker's serves its health alone), CATALOGUE is a file of products.
 */
const { readFileSync } = require('node:fs');
const {
  bootstrap,
  bootstrapWorker,
  ChannelService,
  DefaultJobQueuePlugin,
  DefaultLogger,
  DefaultSearchPlugin,
  dummyPaymentHandler,
  Importer,
  LanguageCode,
  LogLevel,
  RequestContextService,
} = require('@vendure/core');
const { populateInitialData } = require('@vendure/core/cli');
const { lastValueFrom } = require('rxjs');

const role = process.argv[2];

/**
 * As `@vendure/create` writes it and the guide to production asks: no playground and no debugging, the schema not synchronised by
 * the server, jobs and search index in the database with a worker of their own. What the guide adds for safety and would
 * cost time (HardenPlugin) is left out, in its favour.
 */
const config = {
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  apiOptions: { hostname: '127.0.0.1', port: Number(process.env.PORT), cors: false },
  authOptions: {
    tokenMethod: 'bearer',
    superadminCredentials: { identifier: 'superadmin', password: process.env.ADMIN_PASSWORD },
  },
  dbConnectionOptions: {
    ...{ type: 'postgres', host: '127.0.0.1', port: Number(process.env.DATABASE_PORT) },
    ...{ username: 'postgres', database: 'vendure', synchronize: role === 'fill', logging: false },
  },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  plugins: [
    DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true }),
    // The whole index is built afterwards: no need for a job for each product as it comes.
    DefaultSearchPlugin.init({ bufferUpdates: role === 'fill' }),
  ],
};

const money = 'GBP';

const shop = {
  defaultLanguage: LanguageCode.en,
  defaultZone: 'Europe',
  countries: [{ name: 'United Kingdom', code: 'GB', zone: 'Europe' }],
  taxRates: [{ name: 'Standard Tax', percentage: 20 }],
  shippingMethods: [{ name: 'Standard Shipping', price: 500 }],
  paymentMethods: [
    {
      name: 'Dummy',
      handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] },
    },
  ],
  collections: [],
};

/** Products as Vendure's importer reads them; prices in pounds. */
function toCsv(products) {
  const cell = value => `"${String(value).replaceAll('"', '""')}"`;
  const head =
    'name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets';
  const rows = products.map(({ sku, name, description, category, price }) =>
    [
      ...[name, sku.toLowerCase(), description, '', `category:${category}`, '', '', sku, price.amount / 100],
      ...['standard', 100_000_000, true, '', ''],
    ].map(cell),
  );
  return [head, ...rows.map(cells => cells.join(','))].join('\n');
}

async function fill() {
  const app = await bootstrap(config);
  const [channels, contexts] = [app.get(ChannelService), app.get(RequestContextService)];
  const channel = await channels.getDefaultChannel();
  await channels.update(await contexts.create({ apiType: 'admin' }), {
    ...{ id: channel.id, availableCurrencyCodes: [money], defaultCurrencyCode: money },
  });
  await populateInitialData(app, shop);
  const products = toCsv(JSON.parse(readFileSync(process.env.CATALOGUE, 'utf8')));
  const { errors } = await lastValueFrom(
    app.get(Importer).parseAndImport(products, await contexts.create({ apiType: 'admin' })),
  );
  if (errors.length > 0) throw new Error(errors.join(', '));
  await app.close();
}

async function work() {
  const worker = await bootstrapWorker(config);
  await worker.startJobQueue();
  await worker.startHealthCheckServer({ port: Number(process.env.PORT), hostname: '127.0.0.1' });
}

const roles = { fill, server: () => bootstrap(config), worker: work };

roles[role]().then(
  () => role === 'fill' && process.exit(0),
  error => {
    console.error(error);
    process.exit(1);
  },
);
