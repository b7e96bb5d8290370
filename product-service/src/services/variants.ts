import { AppError } from '@tradepost/shared/errors';
import { optionsOfKey, type Product, type ProductFields, variantKeyOf } from '../domain/product.ts';
import type { NewProduct } from '../domain/productFields.ts';
import type { ProductModel } from '../models/productModel.ts';

const refusal = (path: string, message: string) => new AppError('invalid_request', { errors: [{ path, message }] });

/**
 * Checks that a new product may be a variant of `parent`.
 * @param path the field that names the parent
 * @throws AppError `invalid_request` that names what is wrong
 */
export function checkParent(
  parent: Product | undefined,
  fields: Omit<NewProduct, 'parentId'>,
  path: string,
): asserts parent is Product {
  if (!parent || parent.status === 'archived') throw refusal(path, 'is not an active product');
  if (parent.parentId !== null) throw refusal(path, 'is itself a variant');
  if (parent.options.length === 0) throw refusal(path, 'has no options that variants could differ in');
  if (fields.options?.length) throw refusal('options', 'a variant has no options of its own');
  for (const option of parent.options) {
    if (!Object.hasOwn(fields.attributes ?? {}, option)) {
      throw refusal(`attributes.${option}`, 'is an option of the parent and must be given');
    }
  }
}

/**
 * A change with what it means for variants: their key follows their attributes, and the options of a product stay the
 * same while it has variants.
 * @throws AppError `invalid_request`
 */
export async function variantSafe(
  model: ProductModel,
  current: Product,
  wanted: Partial<ProductFields>,
): Promise<Partial<ProductFields>> {
  if (wanted.options && !sameOptions(wanted.options, current.options)) {
    if (current.parentId !== null) throw refusal('options', 'a variant has no options of its own');
    if (await model.findOne({ parentId: current._id }, { _id: 1 }).lean()) {
      throw refusal('options', 'cannot change while the product has variants');
    }
  }
  if (current.variantKey === null || wanted.attributes === undefined) return wanted;
  const variantKey = variantKeyOf(optionsOfKey(current.variantKey), wanted.attributes);
  if (variantKey === undefined) throw refusal('attributes', 'must hold the options in which variants differ');
  return { ...wanted, variantKey };
}

const sameOptions = (a: readonly string[], b: readonly string[]) =>
  [...a].sort().join('\n') === [...b].sort().join('\n');
