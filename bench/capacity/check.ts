import { amountOf, type Quantity, totalOf, type Usage } from '@tradepost/local/capacity/usage';
import { processNames } from '@tradepost/local/processes/settings';
import { serviceNames } from '@tradepost/shared/discovery';

/** What costs say of work, beside what it was. */
export interface Comparison {
  what: string;
  unit: string;
  predicted: number;
  measured: number;
  /** Predicted by measured. */
  ratio: number;
}

/** How far a prediction may be from what is measured. */
export const tolerance = 0.25;

/** Parts that use less than this share of the whole say nothing: a tick of the clock is much of them. */
const smallest = 0.04;

/** Compares what a capacity is planned by: processor time, requests, writes, messages and bytes. */
export function compareUsage(predicted: Usage, measured: Usage): Comparison[] {
  const row = (what: string, unit: string, of: (usage: Usage) => number): Comparison => {
    const [said, was] = [of(predicted), of(measured)];
    return { what, unit, predicted: said, measured: was, ratio: said === was ? 1 : said / was };
  };
  const rows = (quantity: Quantity, unit: string, parts: readonly string[]) => {
    const whole = totalOf(measured, quantity);
    return parts
      .filter(part => amountOf(measured, quantity, part) >= smallest * whole)
      .map(part => row(`${quantity} of ${part}`, unit, usage => amountOf(usage, quantity, part)));
  };
  const databases = serviceNames.map(name => `${name} database`);
  const cpuOf = (parts: readonly string[]) => (usage: Usage) =>
    parts.reduce((sum, part) => sum + amountOf(usage, 'cpuMs', part), 0);
  return [
    ...rows('cpuMs', 'ms', [...processNames, 'broker']),
    row('cpuMs of all databases', 'ms', cpuOf(databases)),
    row('cpuMs of all', 'ms', usage => totalOf(usage, 'cpuMs')),
    ...rows('requests', '', processNames),
    ...rows('documents', '', serviceNames),
    row('published', 'messages', usage => totalOf(usage, 'published')),
    row('delivered', 'messages', usage => totalOf(usage, 'delivered')),
    ...(['answerBytes', 'databaseBytes', 'oplogBytes', 'journalBytes', 'storedBytes', 'brokerBytes'] as const).map(
      quantity => row(quantity, 'bytes', usage => totalOf(usage, quantity)),
    ),
  ];
}

/** Those that are further off than `tolerance`. */
export const tooFarOff = (all: readonly Comparison[]): Comparison[] =>
  all.filter(({ ratio }) => !(Math.abs(ratio - 1) <= tolerance));

/** A line for each, for people. */
export const describe = ({ what, unit, predicted, measured, ratio }: Comparison): string =>
  `${what}: ${predicted.toFixed(1)} predicted, ${measured.toFixed(1)} ${unit} measured, ${((ratio - 1) * 100).toFixed(0)} %`;
