import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

/** A product as the file describes it, in the fields of `POST /api/products`. */
export interface CatalogueProduct {
  line: number;
  sku: string;
  name: string;
  description?: string | undefined;
  category?: string | undefined;
  /** Minor units. */
  price: { amount: number; currency: string };
  /** Pieces that the file says there are, or were sold once: a hint for the opening stock. */
  stock: number;
}

export interface Rejected {
  /** Line of the file, the first is 1. */
  line: number;
  reason: string;
}

export interface Catalogue {
  products: CatalogueProduct[];
  rejected: Rejected[];
}

const text = z.string().trim().min(1);
const optionalText = z
  .string()
  .trim()
  .optional()
  .transform(value => value || undefined);
const digits = z
  .string()
  .regex(/^\d{1,12}$/, 'must be a whole number')
  .transform(Number);
/** An empty cell of a CSV file is no value. */
const optionalDigits = z
  .literal('')
  .transform(() => undefined)
  .or(digits)
  .optional();
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be a three-letter code');

/** Columns of the Online Retail catalogue: prices are pence sterling. */
const retailRow = z
  .object({ stockCode: text, description: text, unitPricePence: digits, unitsSoldShared: optionalDigits })
  .transform(row => ({
    sku: row.stockCode,
    name: row.description,
    price: { amount: row.unitPricePence, currency: 'GBP' },
    stock: row.unitsSoldShared ?? 0,
  }));

/** Columns of `POST /api/products/import` as CSV. */
const ownCsvRow = z
  .object({
    sku: text,
    name: text,
    description: optionalText,
    category: optionalText,
    price: digits,
    currency,
    initialStock: optionalDigits,
  })
  .transform(({ price, currency, initialStock, ...row }) => ({
    ...row,
    price: { amount: price, currency },
    stock: initialStock ?? 0,
  }));

/** Fields of `POST /api/products/import` as NDJSON. */
const ownJsonRow = z
  .object({
    sku: text,
    name: text,
    description: optionalText,
    category: optionalText,
    price: z.object({ amount: z.int().nonnegative(), currency }),
    initialStock: z.int().nonnegative().optional(),
  })
  .transform(({ initialStock, ...row }) => ({ ...row, stock: initialStock ?? 0 }));

type RowSchema = z.ZodType<Omit<CatalogueProduct, 'line'>>;

/**
 * Reads a product file: CSV with the columns of the Online Retail catalogue or with our own, or NDJSON with our own
 * fields. Rows that do not fit, and a sku's second row, are rejected with their line.
 * @throws the system's error when the file cannot be read
 */
export function readCatalogue(path: string): Catalogue {
  const content = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  const catalogue: Catalogue = { products: [], rejected: [] };
  const skus = new Set<string>();
  const take = (line: number, row: unknown, schema: RowSchema) => {
    const result = schema.safeParse(row);
    if (!result.success) catalogue.rejected.push({ line, reason: reasonOf(result.error) });
    else if (skus.has(result.data.sku))
      catalogue.rejected.push({ line, reason: `${result.data.sku} was there before` });
    else {
      skus.add(result.data.sku);
      catalogue.products.push({ line, ...result.data });
    }
  };
  if (content.trimStart().startsWith('{')) readJson(content, catalogue, take);
  else readCsv(content, catalogue, take);
  catalogue.rejected.sort((one, other) => one.line - other.line);
  return catalogue;
}

type Take = (line: number, row: unknown, schema: RowSchema) => void;

function readJson(content: string, catalogue: Catalogue, take: Take): void {
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = parseJson(line);
    if (row === undefined) catalogue.rejected.push({ line: index + 1, reason: 'is not JSON' });
    else take(index + 1, row, ownJsonRow);
  }
}

function readCsv(content: string, catalogue: Catalogue, take: Take): void {
  const rows = parse(content, {
    columns: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: error => {
      if (error) catalogue.rejected.push({ line: Number(error.lines), reason: error.message });
    },
  }) as unknown as { info: { lines: number }; record: Record<string, string> }[];
  for (const { info, record } of rows) take(info.lines, record, 'stockCode' in record ? retailRow : ownCsvRow);
}

/** The JSON value, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first thing that is wrong, with its place. */
export function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'row'}: ${issue?.message}`;
}
