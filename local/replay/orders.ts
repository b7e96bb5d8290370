import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { maxLines, maxQuantity } from '@tradepost/shared/contracts/inventory';
import { z } from 'zod';
import { type CatalogueProduct, parseJson, type Rejected, reasonOf } from './catalogue.ts';

/** An order to be played. */
export interface PlannedOrder {
  line: number;
  invoiceNo: string;
  customerId: string;
  /** English name of the country. */
  country: string;
  /** Pieces by sku; a sku that stood on several lines is here once. */
  quantities: Map<string, number>;
  /** What it must cost at the catalogue's prices, in minor units. */
  expectedTotal: number;
}

export interface OrderFile {
  orders: PlannedOrder[];
  /** Cancels name no order, so they cannot be played. */
  cancels: number;
  rejected: Rejected[];
}

const orderLine = z.object({
  type: z.literal('order'),
  invoiceNo: z.string().regex(/^[\w-]{1,40}$/, 'must be letters and digits'),
  customerId: z.string().regex(/^[\w-]{1,40}$/, 'must be letters and digits'),
  country: z.string().default('United Kingdom'),
  lines: z.array(z.object({ stockCode: z.string().min(1), quantity: z.int().positive() })).min(1),
});
type OrderLine = z.infer<typeof orderLine>;

/**
 * Reads an order file (NDJSON, also gzipped) up to `limit` orders that can be played. What cannot be is rejected with
 * its line, cancels are counted.
 * @throws the system's error when the file cannot be read or is cut off
 */
export async function readOrders(
  path: string,
  products: ReadonlyMap<string, CatalogueProduct>,
  limit: number,
): Promise<OrderFile> {
  const file: OrderFile = { orders: [], cancels: 0, rejected: [] };
  const invoices = new Set<string>();
  let number = 0;
  for await (const text of linesOf(path)) {
    number += 1;
    if (text.trim() === '') continue;
    const row = parseJson(text);
    if ((row as { type?: unknown } | undefined)?.type === 'cancel') {
      file.cancels += 1;
      continue;
    }
    const order = plan(number, row, products, invoices);
    if ('reason' in order) file.rejected.push(order);
    else {
      invoices.add(order.invoiceNo);
      file.orders.push(order);
      if (file.orders.length >= limit) break;
    }
  }
  return file;
}

function plan(
  line: number,
  row: unknown,
  products: ReadonlyMap<string, CatalogueProduct>,
  invoices: ReadonlySet<string>,
): PlannedOrder | Rejected {
  if (row === undefined) return { line, reason: 'is not JSON' };
  const result = orderLine.safeParse(row);
  if (!result.success) return { line, reason: reasonOf(result.error) };
  const { invoiceNo, customerId, country, lines } = result.data;
  if (invoices.has(invoiceNo)) return { line, reason: `invoice ${invoiceNo} was there before` };
  const quantities = merge(lines);
  const unknown = [...quantities.keys()].find(sku => !products.has(sku));
  if (unknown !== undefined) return { line, reason: `${unknown} is not in the catalogue` };
  const large = [...quantities].find(([, quantity]) => quantity > maxQuantity);
  if (large) return { line, reason: `${large[1]} pieces of ${large[0]} are more than ${maxQuantity}` };
  if (quantities.size > maxLines) return { line, reason: `${quantities.size} products are more than ${maxLines}` };
  const expectedTotal = [...quantities].reduce(
    (sum, [sku, quantity]) => sum + quantity * (products.get(sku)?.price.amount ?? 0),
    0,
  );
  return { line, invoiceNo, customerId, country, quantities, expectedTotal };
}

function merge(lines: OrderLine['lines']): Map<string, number> {
  const quantities = new Map<string, number>();
  for (const { stockCode, quantity } of lines) quantities.set(stockCode, (quantities.get(stockCode) ?? 0) + quantity);
  return quantities;
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const zipped = isGzip(path);
  const file = createReadStream(path);
  const content = zipped ? file.pipe(createGunzip()) : file;
  // What goes wrong with the file must reach the reader of the lines, which sees the last stream only.
  file.on('error', error => content.destroy(error));
  yield* createInterface({ input: content, crlfDelay: Number.POSITIVE_INFINITY });
}

function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(file, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(file);
  }
}
