import assert from 'node:assert/strict';
import { BSON } from 'bson';
import type { Document } from './servers.ts';

/** The ids a query gives, in their order. */
export async function ids(cursor: { toArray(): Promise<Document[]> }): Promise<unknown[]> {
  return (await cursor.toArray()).map(d => d._id);
}

/** Asserts that a command is refused with a code, and with a text if one is given. */
export async function refused(promise: Promise<unknown>, code: number, text?: string | RegExp): Promise<Document> {
  let error: Document;
  try {
    await promise;
  } catch (e) {
    error = e;
  }
  assert.ok(error!, `expected error ${code}, but the command succeeded`);
  assert.equal(error.code, code, `expected error ${code}, got ${error.code}: ${error.message}`);
  if (typeof text === 'string') assert.equal(error.message, text);
  else if (text) assert.match(error.message, text);
  return error;
}

/** A document as text that shows every type: int32 apart from double and long, field order, all. */
export function exact(document: unknown): string {
  return BSON.EJSON.stringify(document as Document, { relaxed: false });
}

/** The stages of a plan by their names, from the outermost in. */
export function stages(explained: Document): string[] {
  const names: string[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) for (const x of node) walk(x);
    else if (typeof node === 'object' && node !== null) {
      const stage = (node as Document).stage;
      if (typeof stage === 'string') names.push(stage);
      for (const [key, x] of Object.entries(node)) if (key !== 'rejectedPlans' && key !== 'executionStats') walk(x);
    }
  };
  walk(explained.queryPlanner ?? explained.stages);
  return names;
}

const INDEXED = ['IXSCAN', 'IDHACK', 'COUNT_SCAN', 'DISTINCT_SCAN', 'EXPRESS_IXSCAN'];

/** Asserts that a plan goes through an index and never through the whole collection. */
export function usesIndex(explained: Document): void {
  const names = stages(explained);
  assert.ok(names.some(n => INDEXED.includes(n)) && !names.includes('COLLSCAN'), `no index in ${names.join(' > ')}`);
}

/** Asserts that a plan reads the whole collection. */
export function scansCollection(explained: Document): void {
  assert.ok(stages(explained).includes('COLLSCAN'), `no collection scan in ${stages(explained).join(' > ')}`);
}
