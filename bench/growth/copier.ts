import { v4, v7 } from 'uuid';

/** What a copy has of its own. */
export interface Copy {
  /** Its ids, in the order of the copier's `ids`. */
  ids: readonly string[];
  /** Milliseconds by which it is later than what is copied. */
  shiftMs: number;
}

/** Makes a copy of one value. */
export type Write = (copy: Copy) => unknown;

/** Copies documents that belong together: an id that stands in several of them is the same in all their copies. */
export interface Copier {
  /** The ids that copies have anew. */
  ids: readonly string[];
  /** Turns a document into a function that writes copies of it, which is much faster than walking it each time. */
  compile(document: object): Write;
  /** New ids for one copy, each of the kind and the time, shifted, of the one that it stands for. */
  newIds(shiftMs: number): string[];
}

const uuid = '[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}';
/** UUIDs, and the two ids of a W3C trace context; also within a longer text, as `cancel:<order id>`. */
const pattern = new RegExp(`${uuid}|(?<![\\da-f])(?:[\\da-f]{32}|[\\da-f]{16})(?![\\da-f])`, 'g');

/** All ids in a document, also those in the names of its fields. */
export const idsIn = (document: object): string[] => [...new Set(JSON.stringify(document).match(pattern))];

/**
 * @param keeps says of an id that copies have it too
 * @param random uniform in [0, 1)
 */
export function createCopier(keeps: (id: string) => boolean, random: () => number): Copier {
  const ids: string[] = [];
  const indexOf = (id: string): number => {
    const known = ids.indexOf(id);
    return known >= 0 ? known : ids.push(id) - 1;
  };

  function ofText(text: string): Write {
    const found = (text.match(pattern) ?? []).filter(id => !keeps(id));
    if (found.length === 0) return () => text;
    const indexes = found.map(indexOf);
    const [only = 0] = indexes;
    if (found[0] === text) return copy => copy.ids[only];
    const parts = text.split(new RegExp(found.join('|')));
    return copy => parts.reduce((sum, part, n) => sum + copy.ids[indexes[n - 1] ?? 0] + part);
  }

  function of(value: unknown): Write {
    if (typeof value === 'string') return ofText(value);
    if (typeof value !== 'object' || value === null) return () => value;
    if (value instanceof Date) {
      const time = value.getTime();
      return time === 0 ? () => value : copy => new Date(time + copy.shiftMs);
    }
    if (Array.isArray(value)) {
      const entries = value.map(of);
      return copy => entries.map(write => write(copy));
    }
    const fields = Object.entries(value).map(([name, field]) => ({ name: ofText(name), write: of(field) }));
    return copy => {
      const written: Record<string, unknown> = {};
      for (const { name, write } of fields) written[name(copy) as string] = write(copy);
      return written;
    };
  }

  const bytes = new Uint8Array(16);
  const words = new Uint32Array(bytes.buffer);
  const randomBytes = (): Uint8Array => {
    for (let n = 0; n < words.length; n += 1) words[n] = random() * 2 ** 32;
    return bytes;
  };

  function newId(id: string, shiftMs: number): string {
    if (!id.includes('-')) return Buffer.from(randomBytes()).toString('hex').slice(0, id.length);
    if (id.charAt(14) !== '7') return v4({ random: randomBytes() });
    return v7({ msecs: Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) + shiftMs, random: randomBytes() });
  }

  return { ids, compile: of, newIds: shiftMs => ids.map(id => newId(id, shiftMs)) };
}
