import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import { maxRevocations, type RevocationsAnswer, revocationsAnswer } from './contracts/users.ts';
import { userSessionsRevoked } from './events/users.ts';
import type { AccessClaims } from './http/auth.ts';
import type { ServiceClient } from './http/client.ts';
import type { Logger } from './logger.ts';
import type { Consumer, EventBus } from './messaging/eventBus.ts';

/** Milliseconds that an access token lives. */
export const accessTokenMs = 15 * 60_000;
/** Milliseconds that a revocation is remembered longer than its tokens live: tolerance and differences of clocks. */
export const revocationSlackMs = 60_000;

/** What ended: some sessions, the whole user (both null), or tokens with another role than the user now has. */
export interface Revocation {
  userId: string;
  sessionIds: readonly string[] | null;
  role: 'customer' | 'admin' | null;
  /** RFC 3339. */
  revokedAt: string;
}

/** The revocations that still matter, in memory; for `isRevoked` of the access token verifier. */
export interface Revocations {
  isRevoked(claims: Pick<AccessClaims, 'sub' | 'sid' | 'role'>): boolean;
  /** Takes one in at once, without waiting for its message. */
  add(revocation: Revocation): void;
  /** Listens for messages, then loads what was before; a load that fails is repeated in the background. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface RevocationsOptions {
  bus: EventBus;
  clock: Clock;
  logger: Logger;
  /** Fetches what ended in the last minutes, as `loadRevocations` does. */
  load(): Promise<RevocationsAnswer>;
  /** Most entries of each kind; beyond it the oldest are forgotten. */
  capacity?: number;
  /** Milliseconds between attempts to load at the start. */
  retryMs?: number;
}

/**
 * Keeps the revocations of the last 15 minutes of all users, fed by `user.sessions_revoked`. An entry never looks at
 * when a token was made: a session that ended never comes back, and a token that carries the user's present role is good
 * whenever it was made. So clocks need not agree.
 */
export function createRevocations(options: RevocationsOptions): Revocations {
  const capacity = options.capacity ?? maxRevocations;
  const sessions = expiringMap<true>(capacity);
  const users = expiringMap<true>(capacity);
  const roles = expiringMap<'customer' | 'admin'>(capacity);
  const stopping = new AbortController();
  let consumer: Consumer | undefined;
  let loading: Promise<void> = Promise.resolve();

  function add({ userId, sessionIds, role, revokedAt }: Revocation): void {
    const [at, now] = [Date.parse(revokedAt), options.clock().getTime()];
    if (sessionIds) for (const id of sessionIds) sessions.set(id, true, at, now);
    else if (role) roles.set(userId, role, at, now);
    else users.set(userId, true, at, now);
  }

  async function reload(): Promise<void> {
    const all = await options.load();
    const now = options.clock().getTime();
    for (const { id, at } of all.sessions) sessions.set(id, true, Date.parse(at), now);
    for (const { id, at } of all.users) users.set(id, true, Date.parse(at), now);
    for (const { id, role, at } of all.roles) roles.set(id, role, Date.parse(at), now);
  }

  async function isReloaded(): Promise<boolean> {
    try {
      await reload();
      return true;
    } catch (error) {
      options.logger.warn({ err: error }, 'revocations cannot be loaded yet');
      return false;
    }
  }

  async function reloadUntilDone(): Promise<void> {
    do await sleep(options.retryMs ?? 1_000, undefined, { signal: stopping.signal }).catch(() => {});
    while (!stopping.signal.aborted && !(await isReloaded()));
  }

  return {
    add,
    isRevoked({ sub, sid, role }) {
      const now = options.clock().getTime();
      const present = roles.get(sub, now);
      return sessions.get(sid, now) || users.get(sub, now) || (present !== undefined && present !== role);
    },
    async start() {
      consumer ??= await options.bus.listen({
        message: userSessionsRevoked,
        handle: async message => add(message.data),
        onGap: reload,
      });
      // Not waited for beyond the first try: user-service may come later, and without its keys no token is accepted.
      if (!(await isReloaded())) loading = reloadUntilDone();
    },
    async stop() {
      stopping.abort();
      await consumer?.stop();
      await loading;
    },
  };
}

/** Loads the revocations over HTTP from user-service. */
export function loadRevocations(userService: ServiceClient): () => Promise<RevocationsAnswer> {
  return async () => {
    const call = { method: 'get', path: '/internal/revocations', repeatable: true } as const;
    return (await userService.call(call, revocationsAnswer)).body;
  };
}

/** A bounded map whose entries count for as long as an access token made just before them may live. */
function expiringMap<Value extends string | true>(capacity: number) {
  const entries = new Map<string, { value: Value; at: number }>();
  const isOver = (at: number, now: number) => at + accessTokenMs + revocationSlackMs <= now;
  return {
    get(id: string, now: number): Value | undefined {
      const entry = entries.get(id);
      return entry && !isOver(entry.at, now) ? entry.value : undefined;
    },
    set(id: string, value: Value, at: number, now: number): void {
      const known = entries.get(id);
      if (isOver(at, now) || (known && known.at > at)) return;
      entries.delete(id);
      entries.set(id, { value, at });
      for (const [oldest, entry] of entries) {
        if (entries.size <= capacity && !isOver(entry.at, now)) break;
        entries.delete(oldest);
      }
    },
  };
}
