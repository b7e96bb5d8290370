import type { FieldError } from '@tradepost/shared/errors';

/** Media types of an import. */
export const importTypes = ['application/x-ndjson', 'text/csv'] as const;
export type ImportType = (typeof importTypes)[number];

/** Most rejected rows that an answer names. */
export const maxNamed = 1_000;

export interface RejectedRow {
  /** Counted from 1, a header included. */
  line: number;
  sku?: string;
  errors: FieldError[];
}

export interface ImportResult {
  created: number;
  updated: number;
  unchanged: number;
  /** By line; the first `maxNamed`. */
  rejected: RejectedRow[];
  /** How many were rejected, when that is more than are named. */
  rejectedCount?: number;
}
