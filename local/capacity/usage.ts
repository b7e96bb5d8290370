/** What a customer does that costs something; `line` is each line of an order beyond its first. */
export const activities = [
  'order',
  'line',
  'listFromCache',
  'list',
  'detailFromCache',
  'detail',
  'stock',
  'ownOrder',
  'signIn',
  'refresh',
] as const;
export type Activity = (typeof activities)[number];

/**
 * What is counted of the shop, each by the parts that it falls to: processes and databases (`order-service database`), the
 * `broker`, queues (`delivered`), collections (`storedBytes`, as `order-service events`).
 */
export const quantities = [
  /** Processor milliseconds. */
  'cpuMs',
  /** HTTP requests answered. */
  'requests',
  /** Documents inserted, changed and deleted. */
  'documents',
  'journalBytes',
  /** Times that a database waited for its disk to have the journal. */
  'journalSyncs',
  /** Bytes that each other member of a replica set copies. */
  'oplogBytes',
  /** Bytes between a service and its database, both ways. */
  'databaseBytes',
  /** Bytes of HTTP to a process and back. */
  'requestBytes',
  'answerBytes',
  /** Bytes between all and the broker, both ways. */
  'brokerBytes',
  /** Bytes written to disks. */
  'diskBytes',
  /** Messages. */
  'published',
  'delivered',
  /** Bytes of documents that are there afterwards. */
  'storedBytes',
] as const;
export type Quantity = (typeof quantities)[number];

/** Amounts by quantity and part; what is not named is 0. */
export type Usage = Partial<Record<Quantity, Record<string, number>>>;

/** Several amounts put together, each with its factor. */
export function sumOf(terms: readonly { usage: Usage; times: number }[]): Usage {
  const sum: Usage = {};
  for (const { usage, times } of terms) {
    for (const [quantity, parts] of Object.entries(usage) as [Quantity, Record<string, number>][]) {
      sum[quantity] ??= {};
      const into = sum[quantity];
      for (const [part, amount] of Object.entries(parts)) into[part] = (into[part] ?? 0) + times * amount;
    }
  }
  return sum;
}

/** One amount; 0 when it is not named. */
export const amountOf = (usage: Usage, quantity: Quantity, part: string): number => usage[quantity]?.[part] ?? 0;

/** All parts of a quantity together. */
export const totalOf = (usage: Usage, quantity: Quantity): number =>
  Object.values(usage[quantity] ?? {}).reduce((sum, one) => sum + one, 0);
