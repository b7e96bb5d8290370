import type { z } from 'zod';

/** Data of an event or message, in whatever version. */
export type Data = Readonly<Record<string, unknown>>;

/** A shape that data had, and the ways between it and the version that followed. */
export interface OlderShape {
  data: z.ZodType;
  up(older: Data): Data;
  /**
   * The way back. While it is there, data is written in the older version, for the instances of the release before that
   * run beside this one, or will again if this one is taken back. The release after deletes it.
   */
  down?(newer: Data): Data;
}

/** A kind of data that is written and read by instances of different releases at the same time. */
export interface Versioned {
  /** Schema version of `data`: 1, and one more with every shape that instances of the release before could not read. */
  version: number;
  data: z.ZodType;
  /** The versions before it, in their order. What is older than the first of them is not read any more. */
  before?: readonly OlderShape[];
}

/** Every schema version that is read, oldest first, with its shape. */
export function shapesOf({ version, data, before = [] }: Versioned): Map<number, z.ZodType> {
  const shapes = [...before.map(older => older.data), data];
  return new Map(shapes.map((shape, index) => [version - before.length + index, shape]));
}

/** The schema version that is written: the newest one, or the oldest to which there is a way back. */
export function writtenVersion({ version, before = [] }: Versioned): number {
  return version - (before.length - 1 - before.findLastIndex(older => !older.down));
}

/** Brings data from the schema version in which it was written to the newest. */
export function upgrade({ version, before = [] }: Versioned, data: Data, from: number): Data {
  return before.slice(before.length - (version - from)).reduce((older, step) => step.up(older), data);
}

/** Brings data from the newest schema version to the one that is written. */
export function downgrade(kind: Versioned, data: Data): Data {
  const { version, before = [] } = kind;
  const steps = before.slice(before.length - (version - writtenVersion(kind)));
  return steps.reduceRight((newer, step) => step.down?.(newer) ?? newer, data);
}
