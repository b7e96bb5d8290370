import { hash } from 'node:crypto';
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
import { viewOf, type WrittenProduct } from '../services/writtenProduct.ts';

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
  readProducts(ids: readonly string[]): Promise<WrittenProduct[]>;
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
      const { items, ...more } = await listProducts({
        ...{ search, sort, limit, cursor },
        filters: { ...filters, attributes: attribute },
      });
      return conditional(header, `${listOf(items)},${JSON.stringify(more).slice(1)}`);
    },

    async recent({ query: { limit }, header }) {
      const { items } = await listProducts({ filters: {}, limit });
      return conditional(header, `${listOf(items)}}`);
    },

    categories: async ({ header }) => conditional(header, JSON.stringify({ items: catalogue.categories() })),

    categoryTree: async ({ header }) =>
      conditional(header, JSON.stringify({ items: categoryTree(catalogue.categories()) })),

    suggest: async ({ query: { q, limit }, header }) =>
      conditional(header, JSON.stringify({ items: catalogue.suggest(q, limit) })),

    async get({ params: { id }, header }) {
      const [product] = await readProducts([id]);
      if (!product) throw new AppError('not_found', { detail: 'No such product' });
      return conditional(header, product.text, product.etag);
    },

    async create({ body }) {
      const product = await createProduct(body);
      return reply(201, viewOf(product), { Location: `/api/products/${product._id}`, ETag: etagOf(product) });
    },

    async patch({ params: { id }, body, header }) {
      const product = await changeProduct(id, body, allowedBy(header('if-match')));
      return reply(200, viewOf(product), { ETag: etagOf(product) });
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

/** A list without its end, so that more may follow its items. */
const listOf = (items: readonly WrittenProduct[]) => `{"items":[${items.map(({ text }) => text).join(',')}]`;

/** The answer, or 304 when the client has it. Without a tag of its own the text is told by its hash. */
function conditional(header: (name: string) => string | undefined, text: string, tag?: string): Answer {
  const etag = tag ?? `W/"${hash('sha256', text, 'base64url').slice(0, 22)}"`;
  const headers = { ETag: etag, 'Cache-Control': revalidate };
  return matchesTag(header('if-none-match'), etag) ? { status: 304, headers } : { status: 200, headers, text };
}
