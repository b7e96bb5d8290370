import { operation } from '@tradepost/shared/http/route';
import { id, pageOf, pageQuery, queryBoolean, queryInt } from '@tradepost/shared/http/schemas';
import { maxAmount } from '@tradepost/shared/money';
import { z } from 'zod';
import { sorts } from '../domain/catalogueQuery.ts';
import { conditional, etag, product, tag, unchanged } from './productSchemas.ts';

const maxSearchLength = 200;

/** Blank counts as not given, as an emptied search box sends it. */
const search = z
  .string()
  .max(maxSearchLength)
  .trim()
  .transform(text => (text === '' ? undefined : text))
  .optional()
  .meta({
    description:
      'Words in any order, in name, description and sku; case and accents do not count, beginnings of words and other ' +
      'numbers (bag, bags) fit. A word that fits nothing is tried with one or two wrong letters.',
    example: 'red lantern',
  });

const amount = queryInt(0, maxAmount).optional().meta({ description: 'Minor units' });

const attribute = z
  .string()
  .max(600)
  .regex(/^[^:]+:.+$/s, 'must be name:value')
  .transform(text => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)] as const);

export const listQuery = z
  .strictObject({
    search,
    category: z.string().min(1).max(200).optional().meta({ description: 'This category and those under it' }),
    minPrice: amount,
    maxPrice: amount,
    inStock: queryBoolean.optional(),
    sku: z.string().min(1).max(64).optional(),
    parentId: id.optional().meta({ description: 'Variants of this product' }),
    attribute: z
      .union([attribute.transform(one => [one]), z.array(attribute).max(10)])
      .optional()
      .meta({ description: '`name:value`; repeated, all must fit', example: 'colour:red' }),
    sort: z.enum(sorts).optional().meta({ description: '`newest` by default, `relevance` when `search` is given' }),
    ...pageQuery,
  })
  .refine(query => (query.minPrice ?? 0) <= (query.maxPrice ?? maxAmount), {
    path: ['minPrice'],
    message: 'must not be more than maxPrice',
  });

const facets = z
  .strictObject({
    categories: z.array(z.strictObject({ category: z.string(), count: z.int() })),
    prices: z.array(z.strictObject({ min: z.int(), max: z.int().nullable(), count: z.int() })),
  })
  .meta({
    id: 'ProductFacets',
    description:
      'How the found products are spread over categories (those above included) and prices (from `min` to below `max` ' +
      'minor units). Each leaves its own filter out.',
  });

export const listProducts = operation({
  id: 'listProducts',
  summary: 'Find products',
  description:
    'Pages are stable: rows that are there from the first page to the last come exactly once, also while others are added ' +
    'and prices change. `facets` is in the answer when `search` is given.',
  tag,
  query: listQuery,
  headers: conditional,
  answers: {
    200: {
      description: 'A page of active products',
      body: pageOf(product).extend({ facets: facets.optional() }).meta({ id: 'ProductPage' }),
      headers: etag,
    },
    304: unchanged,
  },
  errors: ['invalid_cursor'],
});

export const recentProducts = operation({
  id: 'recentProducts',
  summary: 'Newest products',
  tag,
  query: z.strictObject({ limit: pageQuery.limit }),
  headers: conditional,
  answers: {
    200: {
      description: 'The newest active products',
      body: z.strictObject({ items: z.array(product) }),
      headers: etag,
    },
    304: unchanged,
  },
});

export const listCategories = operation({
  id: 'listCategories',
  summary: 'Categories with the number of their products',
  tag,
  headers: conditional,
  answers: {
    200: {
      description: 'By name; products of categories further down are not counted',
      body: z.strictObject({ items: z.array(z.strictObject({ category: z.string(), count: z.int() })) }),
      headers: etag,
    },
    304: unchanged,
  },
});

const crumb = z.strictObject({ category: z.string(), name: z.string() });

const node = z
  .strictObject({
    category: z.string().meta({ description: 'The whole path, as the filter takes it', example: 'Home > Candles' }),
    name: z.string().meta({ example: 'Candles' }),
    count: z.int().meta({ description: 'Products in it and under it' }),
    breadcrumbs: z.array(crumb).meta({ description: 'The way from the root, this one included' }),
    get children() {
      return z.array(node);
    },
  })
  .meta({ id: 'CategoryNode' });

export const categoryTree = operation({
  id: 'categoryTree',
  summary: 'Categories as a tree',
  tag,
  headers: conditional,
  answers: {
    200: { description: 'The roots, by name', body: z.strictObject({ items: z.array(node) }), headers: etag },
    304: unchanged,
  },
});

export const suggestProducts = operation({
  id: 'suggestProducts',
  summary: 'Names for a search box while somebody types',
  tag,
  query: z.strictObject({
    q: z.string().max(maxSearchLength).trim().meta({ example: 'lan' }),
    limit: queryInt(1, 20).default(8),
  }),
  headers: conditional,
  answers: {
    200: {
      description: 'Names that fit, best first, each once, with a product of that name',
      body: z.strictObject({ items: z.array(z.strictObject({ id, name: z.string() })) }),
      headers: etag,
    },
    304: unchanged,
  },
});
