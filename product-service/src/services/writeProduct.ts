import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import { availabilityOf, differences, type Product, type ProductFields, variantKeyOf } from '../domain/product.ts';
import type { NewProduct } from '../domain/productFields.ts';
import type { Publishers } from '../events/publishers.ts';
import { type ProductModel, withoutMessages } from '../models/productModel.ts';
import { checkParent, variantSafe } from './variants.ts';

export interface WriteDependencies {
  model: ProductModel;
  publishers: Publishers;
  clock: Clock;
  newId: NewId;
  random: () => number;
  /** Hands on what was written: to the catalogue in memory and to the relay of messages. */
  onWritten(products: readonly Product[]): void;
}

/** Tries of a change that others keep getting in before. */
const maxTries = 20;

/** A new product's document, before it is stored. */
export function draftProduct(
  fields: Omit<NewProduct, 'parentId'>,
  parent: Pick<Product, '_id' | 'options'> | undefined,
  made: { id: string; at: Date },
): Product {
  const { initialStock = 0, ...given } = fields;
  const stock = { available: initialStock, low: false, version: 0 };
  const lowStockThreshold = given.lowStockThreshold ?? null;
  const attributes = given.attributes ?? {};
  return {
    _id: made.id,
    sku: given.sku,
    name: given.name,
    description: given.description ?? '',
    category: given.category ?? null,
    price: given.price,
    images: given.images ?? [],
    attributes,
    status: 'active',
    availability: availabilityOf(stock, lowStockThreshold),
    stock,
    lowStockThreshold,
    parentId: parent?._id ?? null,
    options: given.options ?? [],
    variantKey: parent ? (variantKeyOf(parent.options, attributes) ?? null) : null,
    version: 1,
    createdAt: made.at,
    updatedAt: made.at,
  };
}

/**
 * What a change of fields makes of a product; undefined when nothing differs. Only the fields that differ are written,
 * so that two administrators who change different ones both have their way.
 */
export function changedProduct(
  current: Product,
  wanted: Partial<ProductFields>,
  at: Date,
): { product: Product; set: Partial<Product> } | undefined {
  const fields = differences(current, wanted);
  if (Object.keys(fields).length === 0) return undefined;
  const set: Partial<Product> = { ...fields, version: current.version + 1, updatedAt: at };
  if (fields.lowStockThreshold !== undefined) {
    set.availability = availabilityOf(current.stock, fields.lowStockThreshold);
  }
  return { product: { ...current, ...set }, set };
}

/** A filter that only the very version fits which the change was made from. */
export function versionFilter(current: Product, set: Partial<Product>) {
  const stock = set.availability === undefined ? {} : { 'stock.version': current.stock.version };
  return { _id: current._id, version: current.version, ...stock };
}

/** @throws AppError `sku_taken`, or `invalid_request` when the parent is none or has that variant already */
export async function createProduct(given: NewProduct, dependencies: WriteDependencies): Promise<Product> {
  const { model, publishers, clock, newId, onWritten } = dependencies;
  const { parentId, ...fields } = given;
  const parent = parentId === undefined ? undefined : await model.findById(parentId, withoutMessages).lean<Product>();
  if (parentId !== undefined) checkParent(parent ?? undefined, fields, 'parentId');
  const product = draftProduct(fields, parent ?? undefined, { id: newId(), at: clock() });
  try {
    await model.create({ ...product, outbox: [publishers.created(product, fields.initialStock ?? 0)] });
  } catch (error) {
    throw duplicateOf(error);
  }
  onWritten([product]);
  return product;
}

function duplicateOf(error: unknown): unknown {
  if (!isDuplicateKey(error)) return error;
  if (error.keyPattern && 'variantKey' in error.keyPattern) {
    const errors = [{ path: 'attributes', message: 'another variant of the parent has the same options' }];
    return new AppError('invalid_request', { errors, cause: error });
  }
  return new AppError('sku_taken', { cause: error });
}

/**
 * Changes the given fields of a product. Without `allows` it applies to the newest version, whatever happens meanwhile.
 * @param allows whether the change may be made to that version
 * @throws AppError `not_found`, `version_conflict`, `sku_taken`
 */
export async function changeProduct(
  id: string,
  wanted: Partial<ProductFields>,
  allows: (version: number) => boolean,
  dependencies: WriteDependencies,
): Promise<Product> {
  const { model, publishers, clock, random, onWritten } = dependencies;
  for (let tries = 0; tries < maxTries; tries += 1) {
    if (tries > 0) await sleep(random() * 5 * tries);
    const current = await model.findById(id, withoutMessages).lean<Product>();
    if (!current) throw new AppError('not_found', { detail: 'No such product' });
    if (!allows(current.version)) {
      throw new AppError('version_conflict', { detail: `The product is at version ${current.version}` });
    }
    const change = changedProduct(current, await variantSafe(model, current, wanted), clock());
    if (!change) return current;
    const update = { $set: change.set, $push: { outbox: publishers.updated(change.product) } };
    try {
      const { matchedCount } = await model.updateOne(versionFilter(current, change.set), update);
      if (matchedCount === 0) continue;
    } catch (error) {
      throw duplicateOf(error);
    }
    onWritten([change.product]);
    return change.product;
  }
  throw new AppError('service_unavailable', { detail: 'The product is being changed too often', retryAfter: 1 });
}
