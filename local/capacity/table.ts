/** A Markdown table whose columns line up, so that it can be read at a terminal too; all columns but the first are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], textColumns = 1): string {
  const widths = head.map((name, column) => Math.max(3, name.length, ...rows.map(row => row[column]?.length ?? 0)));
  const isText = (column: number) => column < textColumns;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** A number with three digits that say something, and commas: `1,230`, `12.3`, `0.0123`. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(3));
  if (Math.abs(rounded) < 0.001) return rounded.toExponential(1);
  return rounded.toLocaleString('en-GB', { maximumFractionDigits: 4 });
}
