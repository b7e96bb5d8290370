import { AppError, type FieldError } from '@tradepost/shared/errors';
import { fieldErrors } from '@tradepost/shared/http/validate';
import { parse } from 'csv-parse/sync';
import { type ImportRow, importRow } from '../../domain/productFields.ts';
import { type Line, maxLineBytes } from './lines.ts';

/** A row that was read, or why it could not be. */
export type ReadRow =
  | { line: number; row: ImportRow; errors?: undefined }
  | { line: number; sku?: string; errors: FieldError[] };

const broken = (line: number, message: string): ReadRow => ({ line, errors: [{ path: '', message }] });

function checked(line: number, given: unknown): ReadRow {
  const result = importRow.safeParse(given);
  if (result.success) return { line, row: result.data };
  const sku = (given as { sku?: unknown } | null)?.sku;
  return {
    line,
    ...(typeof sku === 'string' && sku.length <= 64 ? { sku } : {}),
    errors: fieldErrors(result.error.issues, 'body'),
  };
}

/** One JSON object per line; empty lines are passed over. */
export async function* readNdjson(lines: AsyncIterable<Line>): AsyncGenerator<ReadRow> {
  for await (const { number, ...line } of lines) {
    if (line.problem !== undefined) yield broken(number, line.problem);
    else if (line.text.trim() !== '') yield parseJson(number, line.text);
  }
}

function parseJson(line: number, text: string): ReadRow {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return broken(line, 'is not a complete JSON object');
  }
  return checked(line, given);
}

const required = ['sku', 'name', 'price', 'currency'] as const;
const optional = [
  ...(['description', 'category', 'images', 'attributes', 'initialStock', 'lowStockThreshold', 'options'] as const),
  'parentSku',
] as const;
const columns = new Set<string>([...required, ...optional]);

/** Most lines that one quoted record may span. */
const maxRecordLines = 200;

/**
 * Comma-separated rows (RFC 4180) under a header that names the columns. A quote that is never closed costs only the line
 * that it is on: the lines after it are read again on their own.
 * @throws AppError `invalid_request` when the header is missing a column or names an unknown one
 */
export async function* readCsv(lines: AsyncIterable<Line>): AsyncGenerator<ReadRow> {
  let header: string[] | undefined;
  for await (const { line, cells, problem } of readRecords(lines)) {
    if (!header) header = checkHeader(cells ?? []);
    else if (!cells) yield broken(line, problem);
    else if (cells.length !== header.length) {
      yield broken(line, `has ${cells.length} columns, the header has ${header.length}`);
    } else yield fromCells(line, header, cells);
  }
  if (!header) checkHeader([]);
}

type CsvRecord =
  | { line: number; cells: string[]; problem?: undefined }
  | { line: number; cells?: undefined; problem: string };

const isOdd = (text: string) => text.split('"').length % 2 === 0;

async function* readRecords(lines: AsyncIterable<Line>): AsyncGenerator<CsvRecord> {
  const source = lines[Symbol.asyncIterator]();
  const again: Line[] = [];
  const take = async (): Promise<Line | undefined> => again.shift() ?? (await source.next()).value;
  for (let first = await take(); first; first = await take()) {
    const line = first.number;
    if (first.problem !== undefined) {
      yield { line, problem: first.problem };
      continue;
    }
    let text = first.text;
    let isOpen = isOdd(text);
    const taken: Line[] = [];
    while (isOpen && taken.length < maxRecordLines && text.length < maxLineBytes) {
      const next = await take();
      if (!next) break;
      taken.push(next);
      if (next.problem !== undefined) break;
      text += `\n${next.text}`;
      isOpen = isOpen !== isOdd(next.text);
    }
    if (!isOpen && text.trim() === '') continue;
    const cells = isOpen ? undefined : cellsOf(text);
    if (cells) yield { line, cells };
    else {
      yield { line, problem: 'has a quote that is out of place or never closed' };
      again.unshift(...taken);
    }
  }
}

function cellsOf(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  try {
    // A record delimiter that cannot occur: what is given is one record, line breaks in quotes included.
    return parse(text, { relax_column_count: true, record_delimiter: '\u0000' })[0];
  } catch {
    return undefined;
  }
}

function checkHeader(cells: readonly string[]): string[] {
  const names = cells.map(cell => cell.trim());
  const errors = [
    ...required.filter(name => !names.includes(name)).map(path => ({ path, message: 'the header lacks this column' })),
    ...names
      .filter((name, at) => !columns.has(name) || names.indexOf(name) !== at)
      .map(name => ({ path: name.slice(0, 64), message: 'the header names an unknown column, or one twice' })),
  ];
  if (errors.length > 0) throw new AppError('invalid_request', { errors: errors.slice(0, 20) });
  return names;
}

const whole = (cell: string): unknown => (/^-?\d{1,15}$/.test(cell) ? Number(cell) : cell);

/** Empty cells are absent fields. What cannot be read is left as text, which the schema then refuses. */
function fromCells(line: number, header: readonly string[], cells: readonly string[]): ReadRow {
  const cell = new Map(header.map((name, at) => [name, cells[at]!.trim()]));
  const given = (name: string, read: (text: string) => unknown = text => text) => {
    const text = cell.get(name);
    return text ? { [name]: read(text) } : {};
  };
  return checked(line, {
    ...given('sku'),
    ...given('name'),
    ...given('description'),
    ...given('category'),
    price: { amount: whole(cell.get('price') ?? ''), currency: cell.get('currency') },
    ...given('images', text => text.split(/\s+/)),
    ...given('attributes', objectOf),
    ...given('initialStock', whole),
    ...given('lowStockThreshold', whole),
    ...given('options', text => text.split('|').map(option => option.trim())),
    ...given('parentSku'),
  });
}

function objectOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
