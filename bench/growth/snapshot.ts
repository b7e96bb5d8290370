import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { idsIn } from './copier.ts';
import type { Databases, Row } from './databases.ts';

/** All documents of all collections, by `<service>/<collection>` and id. */
export type Snapshot = ReadonlyMap<string, ReadonlyMap<string, Row>>;

export async function takeSnapshot(databases: Databases): Promise<Snapshot> {
  const all = (await databases.names()).map(async name => {
    const rows = await databases.collection(name).find().toArray();
    return [name, new Map(rows.map(row => [row._id, row]))] as const;
  });
  return new Map(await Promise.all(all));
}

const stillMs = 1_500;
const settleLimitMs = 60_000;

/**
 * Waits until nothing moves in the databases any more: no work or message waits, and nothing has changed for a while.
 * @throws Error after a minute
 */
export async function settledSnapshot(databases: Databases): Promise<Snapshot> {
  const until = performance.now() + settleLimitMs;
  for (let before = await takeSnapshot(databases); ; ) {
    await sleep(stillMs);
    const now = await takeSnapshot(databases);
    if (!hasWork(now) && isDeepStrictEqual(now, before)) return now;
    if (performance.now() > until) throw new Error(`the shop does not come to rest within ${settleLimitMs} ms`);
    before = now;
  }
}

const hasWork = (snapshot: Snapshot): boolean =>
  [...snapshot.values()].some(rows => [...rows.values()].some(isUnfinished));

const isUnfinished = ({ outbox, movements, pending, status }: Row): boolean =>
  outbox?.length > 0 || movements?.length > 0 || pending === true || status === 'running';

/** A document, and the collection that it is in. */
export interface Placed {
  name: string;
  row: Row;
}

/** What is new since an earlier snapshot, and in which collections older documents have changed. */
export function difference(before: Snapshot, after: Snapshot): { added: Placed[]; changed: string[] } {
  const added: Placed[] = [];
  const changed = new Set<string>();
  for (const [name, rows] of after) {
    for (const [id, row] of rows) {
      const known = before.get(name)?.get(id);
      if (!known) added.push({ name, row });
      else if (!isDeepStrictEqual(known, row)) changed.add(name);
    }
  }
  return { added, changed: [...changed].sort() };
}

/**
 * Splits documents into groups that share ids, beginning with one id each.
 * @param isCommon ids that say nothing of what belongs together, as those of products
 * @returns the groups in the order of `roots`, and what belongs to none
 */
export function groupByIds(documents: readonly Placed[], roots: readonly string[], isCommon: (id: string) => boolean) {
  const open = new Map(documents.map(one => [one, idsIn(one.row).filter(id => !isCommon(id))]));
  const groups = roots.map(root => {
    const [ids, group] = [new Set([root]), [] as Placed[]];
    for (let grows = true; grows; ) {
      grows = false;
      for (const [one, own] of open) {
        if (!own.some(id => ids.has(id))) continue;
        for (const id of own) ids.add(id);
        group.push(one);
        open.delete(one);
        grows = true;
      }
    }
    return group;
  });
  return { groups, left: [...open.keys()] };
}
