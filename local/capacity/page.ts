import { readFileSync, writeFileSync } from 'node:fs';
import { type Coefficients, readCoefficients } from './coefficients.ts';
import { activitiesTable, checkTable, measuredText, processorsTable, writesTable } from './measuredTables.ts';
import { limitsText, moneyTable, plansOf, plansTable } from './planTables.ts';
import { assumptionsOf } from './text.ts';

/** The page whose tables are made from what was measured last. */
export const capacityPage = new URL('../../docs/capacity.md', import.meta.url);

/** Writes the tables of the page anew. */
export const writeTables = (): void =>
  writeFileSync(capacityPage, withTables(readFileSync(capacityPage, 'utf8'), tablesOf(readCoefficients())));

/**
 * Puts tables into a page, each between the lines `<!-- NAME: made by npm run capacity -- --write -->` and `<!-- end -->`.
 * @throws Error when the page has no place for one of them, or one for a table that there is not
 */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  const places = /(<!-- (\w+): made by npm run capacity -- --write -->\n).*?(<!-- end -->)/gs;
  const found = [...page.matchAll(places)].map(match => match[2]);
  const names = Object.keys(tables);
  if (found.toSorted().join() !== names.toSorted().join()) {
    throw new Error(`the page has places for ${found.join(', ')}, and there are ${names.join(', ')}`);
  }
  return page.replace(places, (_, begin: string, name: string, end: string) => `${begin}\n${tables[name]}\n\n${end}`);
}

/** All tables of the page, by name. */
export function tablesOf(measured: Coefficients): Record<string, string> {
  const plans = plansOf(measured);
  const [smallest] = plans;
  return {
    measured: measuredText(measured),
    processors: processorsTable(measured),
    writes: writesTable(measured),
    activities: activitiesTable(measured),
    check: checkTable(measured),
    assumptions: smallest ? assumptionsOf(smallest) : '',
    plans: plansTable(plans),
    limits: limitsText(measured),
    money: moneyTable(plans),
  };
}
