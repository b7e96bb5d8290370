import type { FuzzReport, Violation } from './fuzz.ts';
import type { FuzzCase } from './request.ts';

const shown = 3_000;

/** A violation with the request as a command, and the one that draws it again. */
export function violationText(seed: number, { index, kind, what, one, answer }: Violation): string {
  return [
    `VIOLATED (${kind}, case ${index}): ${what.join('; ')}`,
    `  ${commandOf(one)}`,
    `  answer: ${answer.status} ${answer.text.slice(0, 600)}`,
    `  again: npm run fuzz -- --seed ${seed} --case ${index}`,
  ].join('\n');
}

/** The request for a shell: with curl, or its bytes through a connection. */
export function commandOf(one: FuzzCase): string {
  if (one.raw) {
    const { hostname, port } = new URL(one.base);
    return `printf ${quoted(one.raw.toString('latin1'))} | nc ${hostname} ${port}`;
  }
  const headers = Object.entries(one.headers).flatMap(([name, values]) =>
    [values].flat().map(value => `-H ${quoted(`${name}: ${value}`)}`),
  );
  const body = one.body === undefined ? [] : [`--data-binary ${quoted(one.body.toString('latin1'))}`];
  return ['curl -i -g --path-as-is -X', one.method, ...headers, ...body, quoted(one.base + one.path)].join(' ');
}

/** As `$'…'` of bash. */
function quoted(text: string): string {
  const cut = text.length > shown ? `${text.slice(0, shown)}…` : text;
  const escaped = JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `$'${escaped}'`;
}

/** Cases per kind and answers by status, a line each. */
export function tableText(report: FuzzReport): string {
  const kinds = [...report.kinds].sort(([a], [b]) => (a < b ? -1 : 1));
  const statuses = [...report.statuses].sort(([a], [b]) => a - b);
  const total = kinds.reduce((sum, [, cases]) => sum + cases, 0);
  return [
    ...kinds.map(([kind, cases]) => `${String(cases).padStart(7)}  ${kind}`),
    `${String(total).padStart(7)}  cases, ${report.direct} of them straight at a service`,
    '',
    ...statuses.map(([status, answers]) => `${String(answers).padStart(7)}  ${status || 'no answer'}`),
    '',
    `${report.violations.length} violations, ${report.repeated} answers of 503 or 504 that did not come again`,
  ].join('\n');
}
