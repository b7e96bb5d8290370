import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** What a benchmark found. */
export interface Report {
  title: string;
  /** Markdown below the title. */
  text: string;
  /** SVG documents by file name. */
  plots: Record<string, string>;
  /** Ratios of medians of this run, for results.json; NaN for one that could not be measured, of which no earlier one is kept. */
  ratios: Record<string, number>;
}

export interface Bars {
  title: string;
  unit: string;
  values: readonly { name: string; value: number }[];
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Horizontal bars in the given order, each with its value. */
export function bars({ title, unit, values }: Bars): Promise<string> {
  const encoding = {
    y: { field: 'name', type: 'nominal', sort: null, axis: { title: null, labelLimit: 300 } },
    x: { field: 'value', type: 'quantitative', axis: { title: unit } },
  } as const;
  return draw({
    title,
    data: { values: [...values] },
    encoding,
    layer: [
      { mark: 'bar' },
      {
        mark: { type: 'text', align: 'left', dx: 4 },
        encoding: { text: { field: 'value', type: 'quantitative', format: ',.3~r' } },
      },
    ],
  });
}

export interface Lines {
  title: string;
  x: { unit: string; isLogarithmic?: boolean };
  unit: string;
  values: readonly { series: string; x: number; value: number }[];
}

/** A line with its points for each series. */
export function lines({ title, x, unit, values }: Lines): Promise<string> {
  const isLog = x.isLogarithmic === true;
  return draw({
    title,
    data: { values: [...values] },
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        scale: isLog ? { type: 'log' } : {},
        axis: { title: x.unit, format: '~s' },
      },
      y: { field: 'value', type: 'quantitative', axis: { title: unit } },
      color: { field: 'series', type: 'nominal', title: null },
    },
  });
}

async function draw(specification: Partial<TopLevelSpec>): Promise<string> {
  const whole = { width: 520, background: 'white', ...specification } as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  return `${await view.toSVG()}\n`;
}

const folder = join(import.meta.dirname, 'report');
const dependencies = ['express', 'http-proxy-middleware', 'fastify', '@fastify/http-proxy', 'mongoose', 'amqplib'];

/** Versions of what ran, by name. */
export function versions(): Record<string, string> {
  const require = createRequire(join(import.meta.dirname, '..', 'gateway', 'package.json'));
  const versionOf = (name: string) => {
    const file = require.resolve
      .paths(name)
      ?.map(path => join(path, name, 'package.json'))
      .find(existsSync);
    return file ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'unknown';
  };
  return { node: process.versions.node, ...Object.fromEntries(dependencies.map(name => [name, versionOf(name)])) };
}

export const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

/** Writes `report/NAME.md` with its plots, and its ratios into `report/results.json` beside those of other benchmarks. */
export function write(name: string, report: Report): string {
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const made = `${date}, Node ${process.versions.node}, ${machine()}.`;
  const text = `# ${report.title}\n\n${made}\n\n${report.text}`;
  writeFileSync(join(folder, `${name}.md`), text);
  for (const [file, svg] of Object.entries(report.plots)) writeFileSync(join(folder, file), svg);
  if (Object.keys(report.ratios).length > 0) writeRatios(date, report.ratios);
  return text;
}

interface Results {
  date: string;
  machine: string;
  versions: Record<string, string>;
  ratios: Record<string, number>;
}

function writeRatios(date: string, ratios: Record<string, number>): void {
  const file = join(folder, 'results.json');
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results).ratios : {};
  const all = Object.entries({ ...before, ...ratios })
    .flatMap(([key, value]) => (Number.isFinite(value) ? [[key, Number(value.toPrecision(3))] as const] : []))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const results: Results = { date, machine: machine(), versions: versions(), ratios: Object.fromEntries(all) };
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}
