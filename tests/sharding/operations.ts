import { readDocument } from '@tradepost/local/store/values/read';
import type { Doc, Value } from '@tradepost/local/store/values/value';
import type { Request } from '@tradepost/local/store/wire/frame';

/** One query or write, as a router would have to find its shards. */
export interface Operation {
  database: string;
  collection: string;
  command: string;
  /** How many documents it may change at most; reads change none. */
  writes: 'none' | 'one' | 'many';
  filter: Doc;
  sort?: Doc;
}

const isDoc = (value: Value | undefined): value is Doc =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** The queries and writes that a request has; none for what names no documents. */
export function operationsOf({ db, command, sequences }: Request): Operation[] {
  const name = Object.keys(command)[0] ?? '';
  const common = { database: db, collection: String(command[name]), command: name };
  const filterOf = (field: string): Doc => (isDoc(command[field]) ? (command[field] as Doc) : {});
  const listOf = (field: string): Doc[] => {
    const inBody = Array.isArray(command[field]) ? (command[field] as Doc[]) : [];
    return [...inBody, ...(sequences.get(field) ?? []).map(({ bytes }) => readDocument(bytes))];
  };
  switch (name) {
    case 'find':
      return [{ ...common, writes: 'none', filter: filterOf('filter'), sort: filterOf('sort') }];
    case 'count':
    case 'distinct':
      return [{ ...common, writes: 'none', filter: filterOf('query') }];
    case 'aggregate': {
      const [first] = command.pipeline as Doc[];
      return [{ ...common, writes: 'none', filter: isDoc(first?.$match) ? first.$match : {} }];
    }
    case 'findAndModify':
      return [{ ...common, writes: 'one', filter: filterOf('query'), sort: filterOf('sort') }];
    case 'update':
      return listOf('updates').map(one => ({ ...common, writes: one.multi ? 'many' : 'one', filter: one.q as Doc }));
    case 'delete':
      return listOf('deletes').map(one => ({
        ...common,
        writes: Number(one.limit) === 1 ? 'one' : 'many',
        filter: one.q as Doc,
      }));
    case 'insert':
      return listOf('documents').map(document => ({ ...common, writes: 'one', filter: document }));
    default:
      return [];
  }
}

/** The fields for which a filter leaves one value, or some: `one` and `some`. */
export function pinnedFields(filter: Doc): Map<string, 'one' | 'some'> {
  const pinned = new Map<string, 'one' | 'some'>();
  for (const [field, value] of Object.entries(filter)) {
    if (field === '$and') {
      for (const part of value as Doc[]) for (const [name, how] of pinnedFields(part)) pinned.set(name, how);
    } else if (!field.startsWith('$')) {
      const operators = isDoc(value) ? Object.keys(value).filter(key => key.startsWith('$')) : [];
      if (operators.length === 0 || operators.includes('$eq')) pinned.set(field, 'one');
      else if (operators.includes('$in')) pinned.set(field, 'some');
    }
  }
  return pinned;
}
