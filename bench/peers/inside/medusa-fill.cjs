/**
 * Fills Medusa's database; run by `medusa exec`. CATALOGUE is a file of products; what its buyers need to know is
 * written to the file that RESULT names, as `{region, key, option, variants}`.
 */
const { readFileSync, writeFileSync } = require('node:fs');
const flows = require('@medusajs/medusa/core-flows');
const { ContainerRegistrationKeys, Modules, ProductStatus } = require('@medusajs/framework/utils');

const money = 'gbp';
const country = 'gb';

exports.default = async function fill({ container }) {
  const run = async (flow, input) => (await flow(container).run({ input })).result;
  const link = container.resolve(ContainerRegistrationKeys.LINK);
  const fulfillment = container.resolve(Modules.FULFILLMENT);
  const [store] = await container.resolve(Modules.STORE).listStores();

  const [channel] = await run(flows.createSalesChannelsWorkflow, { salesChannelsData: [{ name: 'Shop' }] });
  await run(flows.updateStoresWorkflow, {
    selector: { id: store.id },
    update: {
      supported_currencies: [{ currency_code: money, is_default: true }],
      default_sales_channel_id: channel.id,
    },
  });
  const [region] = await run(flows.createRegionsWorkflow, {
    regions: [
      { name: 'United Kingdom', currency_code: money, countries: [country], payment_providers: ['pp_system_default'] },
    ],
  });
  await run(flows.createTaxRegionsWorkflow, [{ country_code: country, provider_id: 'tp_system' }]);

  const [place] = await run(flows.createStockLocationsWorkflow, {
    locations: [{ name: 'Warehouse', address: { city: 'York', country_code: 'GB', address_1: '12 Mill Lane' } }],
  });
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: place.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: 'manual_manual' },
  });
  const [profile] = await run(flows.createShippingProfilesWorkflow, { data: [{ name: 'Default', type: 'default' }] });
  const set = await fulfillment.createFulfillmentSets({
    name: 'Delivery',
    type: 'shipping',
    service_zones: [{ name: 'United Kingdom', geo_zones: [{ country_code: country, type: 'country' }] }],
  });
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: place.id },
    [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
  });
  const [option] = await run(flows.createShippingOptionsWorkflow, [
    {
      name: 'Standard Shipping',
      price_type: 'flat',
      provider_id: 'manual_manual',
      service_zone_id: set.service_zones[0].id,
      shipping_profile_id: profile.id,
      type: { label: 'Standard', description: 'In two days.', code: 'standard' },
      prices: [{ currency_code: money, amount: 5 }],
      rules: [
        { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
        { attribute: 'is_return', value: 'false', operator: 'eq' },
      ],
    },
  ]);
  await run(flows.linkSalesChannelsToStockLocationWorkflow, { id: place.id, add: [channel.id] });
  const [key] = await run(flows.createApiKeysWorkflow, {
    api_keys: [{ title: 'Shop', type: 'publishable', created_by: '' }],
  });
  await run(flows.linkSalesChannelsToApiKeyWorkflow, { id: key.id, add: [channel.id] });

  const catalogue = JSON.parse(readFileSync(process.env.CATALOGUE, 'utf8'));
  const products = await run(flows.createProductsWorkflow, {
    products: catalogue.map(({ sku, name, description, price }) => ({
      ...{ title: name, handle: sku.toLowerCase(), description, status: ProductStatus.PUBLISHED },
      shipping_profile_id: profile.id,
      options: [{ title: 'Kind', values: ['Usual'] }],
      variants: [
        {
          title: 'Usual',
          sku,
          options: { Kind: 'Usual' },
          prices: [{ amount: price.amount / 100, currency_code: money }],
        },
      ],
      sales_channels: [{ id: channel.id }],
    })),
  });
  const items = await container.resolve(Modules.INVENTORY).listInventoryItems({}, { take: 10_000, select: ['id'] });
  await run(flows.createInventoryLevelsWorkflow, {
    inventory_levels: items.map(({ id }) => ({
      location_id: place.id,
      stocked_quantity: 100_000_000,
      inventory_item_id: id,
    })),
  });
  const variants = products.flatMap(product => product.variants.map(({ id }) => id));
  writeFileSync(
    process.env.RESULT,
    JSON.stringify({
      region: region.id,
      key: key.token,
      option: option.id,
      products: products.map(({ id }) => id),
      variants,
    }),
  );
};
