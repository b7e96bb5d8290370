import { createHash } from 'node:crypto';
import type { LookupAnswer } from '@tradepost/shared/contracts/products';
import { AppError } from '@tradepost/shared/errors';
import { matchesTag } from '@tradepost/shared/http/etag';
import { type Answer, type ControllerOf, reply } from '@tradepost/shared/http/route';
import type { Catalogue } from '../domain/catalogue.ts';
import { categoryTree } from '../domain/category.ts';
import { etagOf, matchesVersion, type Product } from '../domain/product.ts';
import type { NewProduct, ProductPatch } from '../domain/productFields.ts';
import type * as lists from '../routes/listSchemas.ts';
import type * as schemas from '../routes/productSchemas.ts';
import type { ListQuery, ProductPage } from '../services/listProducts.ts';

export interface ProductController {
  list: ControllerOf<typeof lists.listProducts>;
  recent: ControllerOf<typeof lists.recentProducts>;
  categories: ControllerOf<typeof lists.listCategories>;
  categoryTree: ControllerOf<typeof lists.categoryTree>;
  suggest: ControllerOf<typeof lists.suggestProducts>;
  get: ControllerOf<typeof schemas.getProduct>;
  create: ControllerOf<typeof schemas.createProduct>;
  patch: ControllerOf<typeof schemas.patchProduct>;
  archive: ControllerOf<typeof schemas.archiveProduct>;
  lookup: ControllerOf<typeof schemas.lookupProducts>;
}

export interface ProductControllerDependencies {
  catalogue: Pick<Catalogue, 'categories' | 'suggest'>;
  listProducts(query: ListQuery): Promise<ProductPage>;
  /** Products by id, archived ones too. */
  readProducts(ids: readonly string[]): Promise<Product[]>;
  lookupProducts(ids: readonly string[]): Promise<LookupAnswer>;
  createProduct(given: NewProduct): Promise<Product>;
  changeProduct(id: string, wanted: ProductPatch, allows: (version: number) => boolean): Promise<Product>;
}

/** Whoever keeps a copy asks each time whether it is still right: a price must never be an old one. */
const revalidate = 'public, no-cache';

export function createProductController(dependencies: ProductControllerDependencies): ProductController {
  const { catalogue, listProducts, readProducts, lookupProducts, createProduct, changeProduct } = dependencies;

  return {
    async list({ query, header }) {
      const { search, sort, limit, cursor, attribute, ...filters } = query;
      const page = await listProducts({ search, sort, limit, cursor, filters: { ...filters, attributes: attribute } });
      return conditional(header, { ...page, items: page.items.map(bodyOf) });
    },

    async recent({ query: { limit }, header }) {
      const { items } = await listProducts({ filters: {}, limit });
      return conditional(header, { items: items.map(bodyOf) });
    },

    categories: async ({ header }) => conditional(header, { items: catalogue.categories() }),

    categoryTree: async ({ header }) => conditional(header, { items: categoryTree(catalogue.categories()) }),

    suggest: async ({ query: { q, limit }, header }) => conditional(header, { items: catalogue.suggest(q, limit) }),

    async get({ params: { id }, header }) {
      const [product] = await readProducts([id]);
      if (!product) throw new AppError('not_found', { detail: 'No such product' });
      return conditional(header, bodyOf(product), etagOf(product));
    },

    async create({ body }) {
      const product = await createProduct(body);
      return reply(201, bodyOf(product), { Location: `/api/products/${product._id}`, ETag: etagOf(product) });
    },

    async patch({ params: { id }, body, header }) {
      const product = await changeProduct(id, body, allowedBy(header('if-match')));
      return reply(200, bodyOf(product), { ETag: etagOf(product) });
    },

    async archive({ params: { id }, header }) {
      await changeProduct(id, { status: 'archived' }, allowedBy(header('if-match')));
      return reply(204);
    },

    lookup: async ({ body: { ids } }) => reply(200, await lookupProducts(ids)),
  };
}

const allowedBy = (ifMatch: string | undefined) => (version: number) =>
  ifMatch === undefined || matchesVersion(ifMatch, version);

/** The answer, or 304 when the client has it. Without a tag of its own the body is told by its hash. */
function conditional(header: (name: string) => string | undefined, body: unknown, tag?: string): Answer {
  const etag = tag ?? `W/"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)}"`;
  const headers = { ETag: etag, 'Cache-Control': revalidate };
  return matchesTag(header('if-none-match'), etag) ? reply(304, undefined, headers) : reply(200, body, headers);
}

/** A product as clients see it. */
function bodyOf(product: Product) {
  const { lowStockThreshold, options, parentId } = product;
  return {
    id: product._id,
    sku: product.sku,
    name: product.name,
    description: product.description,
    category: product.category,
    price: product.price,
    images: product.images,
    attributes: product.attributes,
    status: product.status,
    availability: product.availability,
    version: product.version,
    createdAt: product.createdAt.toISOString(),
    updatedAt: product.updatedAt.toISOString(),
    ...(lowStockThreshold === null ? {} : { lowStockThreshold }),
    ...(options.length === 0 ? {} : { options }),
    ...(parentId === null ? {} : { parentId }),
  };
}
