import type { Money } from '@tradepost/shared/money';

export type Availability = 'in_stock' | 'low_stock' | 'out_of_stock';
export type AttributeValue = string | number | boolean;

/** What inventory said last; of two the one with the higher version is the newer. */
export interface Stock {
  available: number;
  low: boolean;
  /** 0 before inventory has said anything. */
  version: number;
}

/** A product as it is stored, without its outbox. */
export interface Product {
  _id: string;
  sku: string;
  name: string;
  description: string;
  /** Path from the root as `Home > Kitchen`, or null. */
  category: string | null;
  price: Money;
  images: string[];
  attributes: Record<string, AttributeValue>;
  status: 'active' | 'archived';
  availability: Availability;
  stock: Stock;
  /** Own threshold for `low_stock`; null leaves it to inventory. */
  lowStockThreshold: number | null;
  /** The product that this one is a variant of. */
  parentId: string | null;
  /** Names of the attributes in which the variants of this product differ, as `size`. */
  options: string[];
  /** What tells a variant from its siblings; null for what is no variant. */
  variantKey: string | null;
  /** Grows with every change but those of stock. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** The fields that an administrator decides, and what follows from them. */
export type ProductFields = Pick<
  Product,
  | 'sku'
  | 'name'
  | 'description'
  | 'category'
  | 'price'
  | 'images'
  | 'attributes'
  | 'status'
  | 'lowStockThreshold'
  | 'options'
  | 'variantKey'
>;

/** What a buyer is told of a stock. A product's own threshold goes before inventory's. */
export function availabilityOf(stock: Pick<Stock, 'available' | 'low'>, threshold: number | null): Availability {
  if (stock.available <= 0) return 'out_of_stock';
  return (threshold === null ? stock.low : stock.available <= threshold) ? 'low_stock' : 'in_stock';
}

/** Entity tag of a product's representation: its version, and the availability that changes without one. */
export function etagOf(product: Pick<Product, 'version' | 'availability'>): string {
  return `"${product.version}-${product.availability}"`;
}

/**
 * Whether an If-Match header allows a change of this version (RFC 9110 section 13.1.1). Only the version counts: a sale
 * that empties the shelf must not turn an administrator's edit away.
 */
export function matchesVersion(ifMatch: string, version: number): boolean {
  return ifMatch.split(',').some(part => {
    const tag = part.trim();
    return tag === '*' || /^"?(\d{1,15})(?:-[a-z_]+)?"?$/.exec(tag)?.[1] === String(version);
  });
}

const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, at) => same(value, b[at]));
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || Array.isArray(a) || Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && same(a[key as never], b[key as never]))
  );
};

/** The wanted fields that differ from what is stored. The order of attributes does not count. */
export function differences(current: ProductFields, wanted: Partial<ProductFields>): Partial<ProductFields> {
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => value !== undefined && !same(value, current[name as never])),
  );
}

/**
 * What tells a variant from its siblings: its values of the parent's options.
 * @returns undefined when a value is missing
 */
export function variantKeyOf(options: readonly string[], attributes: Product['attributes']): string | undefined {
  if (options.some(option => !Object.hasOwn(attributes, option))) return undefined;
  return JSON.stringify([...options].sort().map(option => [option, String(attributes[option]).toLowerCase()]));
}

/** The options that a variant's key speaks of. */
export function optionsOfKey(variantKey: string): string[] {
  return (JSON.parse(variantKey) as [string, string][]).map(([option]) => option);
}
