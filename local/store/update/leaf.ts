import type { Doc, Value } from '../values/value.ts';

/** What an operator may need besides the value it changes. */
export interface UpdateContext {
  now: Date;
  /** Whether the document is being made by an upsert. */
  inserting: boolean;
  /** The document's `_id`, for messages. */
  id: Value | undefined;
}

/** One operator on one path. */
export interface Leaf {
  path: string;
  parts: readonly string[];
  /** Whether missing fields on the way are made; if not, the operator does nothing where its path ends early. */
  creates: boolean;
  /** Whether it does nothing (instead of failing) where a value that is no document is in the way. */
  lenient?: boolean;
  onlyOnInsert?: boolean;
  /**
   * The new value for the old one, which may be changed in place; `undefined` is a missing field, before and after.
   */
  apply(old: Value | undefined, context: UpdateContext): Value | undefined;
  /** For `$rename`: where the value goes. */
  target?: { path: string; parts: readonly string[] };
}

/** Makes the leaf of an operator's argument on a path. Throws what the server answers to a bad argument. */
export type MakeLeaf = (path: string, argument: Value) => Omit<Leaf, 'path' | 'parts'>;

/** A parsed update. */
export type Update =
  | { kind: 'replace'; doc: Doc }
  | { kind: 'operators'; leaves: readonly Leaf[] }
  | { kind: 'pipeline'; apply: (doc: Doc) => Doc };
