import { hash } from 'node:crypto';
import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { z } from 'zod';
import { type Catalogue, maxWords, type Paging } from '../domain/catalogue.ts';
import type { Filters, Sort } from '../domain/catalogueQuery.ts';
import type { Facets } from '../domain/facets.ts';
import type { ProductCache } from './productCache.ts';
import type { WrittenProduct } from './writtenProduct.ts';

export interface ListQuery {
  search?: string | undefined;
  filters: Filters;
  sort?: Sort | undefined;
  limit: number;
  cursor?: string | undefined;
}

export interface ProductPage {
  items: WrittenProduct[];
  nextCursor: string | null;
  facets?: Facets;
}

/**
 * A page of active products, found in memory and read by id.
 * @throws AppError `invalid_cursor` when the cursor is broken or was given out for another search, filter or sort
 */
export async function listProducts(query: ListQuery, catalogue: Catalogue, cache: ProductCache): Promise<ProductPage> {
  const { search, filters, limit, cursor } = query;
  const sort = sortOf(query);
  const name = `${sort} ${fingerprint({ search, filters })}`;
  const page = find(() => catalogue.find({ search, filters, sort, limit, paging: pagingOf(cursor, name) }));
  const items = await cache.getMany(page.ids);
  return {
    items: items.filter(product => product.status === 'active'),
    nextCursor: page.next ? cursorOf(page.next, name) : null,
    ...(page.facets ? { facets: page.facets } : {}),
  };
}

function sortOf({ sort, search }: ListQuery): Sort {
  if (search === undefined) return sort === undefined || sort === 'relevance' ? 'newest' : sort;
  return sort ?? 'relevance';
}

function find<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RangeError) throw new AppError('invalid_cursor', { cause });
    throw cause;
  }
}

const fingerprint = (asked: object) => hash('sha256', JSON.stringify(asked), 'base64url').slice(0, 8);

const cursorValues = z.tuple([
  z.number().positive(),
  z.string().max(maxWords),
  z
    .int()
    .min(0)
    .max(2 * maxWords),
  z.number(),
  z.string().max(64),
  z.number(),
  z.string().max(64),
]);

function pagingOf(cursor: string | undefined, name: string): Paging | undefined {
  const read = decodeCursor(cursor, name, cursorValues);
  if (!read) return undefined;
  const [moment, ways, required, number, text, createdAt, id] = read;
  return { moment, ways, required, after: { number, text, createdAt, id } };
}

function cursorOf({ moment, ways, required, after }: Paging, name: string): string {
  return encodeCursor(name, [moment, ways, required, after.number, after.text, after.createdAt, after.id]);
}
