import { serviceNames } from '@tradepost/shared/discovery';
import { processNames } from '../processes/settings.ts';
import type { Coefficients } from './coefficients.ts';
import { figure, table } from './table.ts';
import { type Activity, activities, amountOf, type Quantity, totalOf, type Usage } from './usage.ts';
import { activitiesPerOrder, usualWorkload } from './workload.ts';

/** Where, when and how it was measured, in a sentence. */
export function measuredText({ date, machine, versions, run, hotProduct }: Coefficients): string {
  const all = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const hot = Object.entries(hotProduct.ordersPerSecond).map(
    ([instances, rate]) => `${figure(rate)} orders/s by ${instances} of inventory-service`,
  );
  return (
    `Measured ${date} on ${machine}; ${all.join(', ')}; ${run.rounds} rounds, ${figure(run.products)} products. ` +
    `One product alone was sold in ${hot.join(', ')}; its document took ${figure(hotProduct.updatesPerSecond)} journaled ` +
    'updates a second, one after the other.'
  );
}

interface Column {
  name: string;
  of(part: string): number;
}

const sumOfStarting = (parts: Record<string, number> = {}, start: string): number =>
  Object.entries(parts).reduce((sum, [part, amount]) => (part.startsWith(start) ? sum + amount : sum), 0);

/** A row for each process and the broker, and one for all. */
function partsTable(title: string, columns: readonly Column[]): string {
  const parts = [...processNames, 'broker'];
  const all = columns.map(({ of }) => parts.reduce((sum, part) => sum + of(part), 0));
  return table(
    [title, ...columns.map(({ name }) => name)],
    [...parts.map(part => [part, ...columns.map(({ of }) => figure(of(part)))]), ['all', ...all.map(figure)]],
  );
}

/** Processor time of an order. */
export function processorsTable({ activities: costs, idle }: Coefficients): string {
  const both = (usage: Usage) => (part: string) =>
    amountOf(usage, 'cpuMs', part) + amountOf(usage, 'cpuMs', `${part} database`);
  return partsTable('processor milliseconds', [
    { name: 'an order of one line', of: part => amountOf(costs.order, 'cpuMs', part) },
    { name: 'its database', of: part => amountOf(costs.order, 'cpuMs', `${part} database`) },
    { name: 'both, each more line', of: both(costs.line) },
    { name: 'both, a second at rest', of: both(idle) },
  ]);
}

/** Requests, writes, messages and bytes of an order. */
export function writesTable({ activities: { order }, diskPerByte }: Coefficients): string {
  const column = (name: string, quantity: Quantity, by = 1): Column => ({
    name,
    of: part => amountOf(order, quantity, part) / by,
  });
  const passed = (part: string) =>
    amountOf(order, 'requestBytes', part) + amountOf(order, 'answerBytes', part) + amountOf(order, 'brokerBytes', part);
  return partsTable('an order of one line', [
    column('requests', 'requests'),
    column('writes', 'documents'),
    column('kB journal', 'journalBytes', 1_000),
    column('waits for the disk', 'journalSyncs'),
    column('messages sent', 'published'),
    { name: 'heard', of: part => sumOfStarting(order.delivered, part) },
    { name: 'kB passed', of: part => passed(part) / 1_000 },
    { name: 'kB on disk', of: part => ((diskPerByte[part] ?? 0) * sumOfStarting(order.storedBytes, part)) / 1_000 },
  ]);
}

const namesOfActivities: Record<Activity, string> = {
  order: 'an order of one line',
  line: 'each more line',
  listFromCache: 'a list that the gateway still has',
  list: 'a list, half of them searches',
  detailFromCache: 'a product that the gateway still has',
  detail: 'a product',
  stock: 'the stock of a product',
  ownOrder: "an order of the customer's own",
  signIn: 'a sign-in and a look at the own orders',
  refresh: 'a new access token and a look at the own orders',
};

/** What everything costs that customers do, and how much of it belongs to an order. */
export function activitiesTable({ activities: costs }: Coefficients): string {
  const times = activitiesPerOrder({ ...usualWorkload, ordersPerSecond: 1 });
  const cpuOf = (usage: Usage, parts: readonly string[]) =>
    parts.reduce((sum, part) => sum + amountOf(usage, 'cpuMs', part), 0);
  const rows = activities.map(name => {
    const usage = costs[name];
    return [
      ...[namesOfActivities[name], figure(times[name]), figure(amountOf(usage, 'cpuMs', 'gateway'))],
      figure(cpuOf(usage, serviceNames)),
      figure(cpuOf(usage, [...serviceNames.map(service => `${service} database`), 'broker'])),
      ...[figure(totalOf(usage, 'documents')), figure(amountOf(usage, 'answerBytes', 'gateway') / 1_000)],
      figure(times[name] * totalOf(usage, 'cpuMs')),
    ];
  });
  const head = ['CPU ms of', 'times an order', 'gateway', 'services', 'databases, broker', 'writes', 'kB answered'];
  return table([...head, 'CPU ms an order'], rows);
}

/** How well the costs explain a mixture that they were not told from. */
export const checkTable = ({ check }: Coefficients): string =>
  table(
    ['of the mixture', 'predicted', 'measured', 'off by'],
    check.map(({ what, unit, predicted, measured, ratio }) => [
      ...[unit ? `${what}, ${unit}` : what, figure(predicted), figure(measured)],
      `${(100 * (ratio - 1)).toFixed(0)} %`,
    ]),
  );
