import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { activities, quantities } from './usage.ts';

/** Where `npm run bench -- capacity` leaves what it measured. */
export const coefficientsFile = new URL('../../bench/report/capacity.json', import.meta.url);

const usage = z.partialRecord(z.enum(quantities), z.record(z.string(), z.number().nonnegative()));

const coefficients = z.object({
  /** As `2026-11-24`. */
  date: z.iso.date(),
  machine: z.string(),
  versions: z.record(z.string(), z.string()),
  /** How it was measured. */
  run: z.object({ rounds: z.int(), seconds: z.number(), products: z.int() }),
  /** Of a second in which one of each process and database does nothing for customers. */
  idle: usage,
  /** Of one of each. */
  activities: z.record(z.enum(activities), usage),
  /** Resident mebibytes after the load. */
  memoryMiB: z.record(z.string(), z.number()),
  /** Bytes on disk, of documents and indexes, for each byte of a document, by service. */
  diskPerByte: z.record(z.string(), z.number()),
  /** Seconds that a collection keeps its documents, where it does not keep them for ever. */
  keptSeconds: z.record(z.string(), z.number()),
  /** Orders of one product each, all of the same product, that the stock of that product bore. */
  hotProduct: z.object({
    /** By how many instances of inventory-service shared the work. */
    ordersPerSecond: z.record(z.string(), z.number()),
    /** Journaled updates of one document, one after the other. */
    updatesPerSecond: z.number(),
  }),
  /** How far the costs explain a mixture that they were not told from. */
  check: z.array(
    z.object({ what: z.string(), predicted: z.number(), measured: z.number(), unit: z.string(), ratio: z.number() }),
  ),
});

/** What everything costs, as it was measured. */
export type Coefficients = z.infer<typeof coefficients>;

/** Reads what was measured last. @throws Error when the file is not there or not as the measurement writes it */
export const readCoefficients = (): Coefficients =>
  coefficients.parse(JSON.parse(readFileSync(coefficientsFile, 'utf8')));
