import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RevocationsAnswer } from './contracts/users.ts';
import { silentLogger } from './logger.ts';
import type { EventBus, Listener } from './messaging/eventBus.ts';
import { accessTokenMs, createRevocations, type Revocation, revocationSlackMs } from './revocations.ts';

const start = Date.UTC(2026, 0, 1);
const nothing: RevocationsAnswer = { sessions: [], users: [], roles: [] };

/** Revocations with a clock to move, and a bus that only remembers who listens. */
function setUp(options: { load?: () => Promise<RevocationsAnswer>; capacity?: number } = {}) {
  const state = { now: start, stopped: false };
  let listener: Listener<Revocation> | undefined;
  const bus = {
    listen: async (given: Listener<Revocation>) => {
      listener = given;
      return {
        stop: async () => {
          state.stopped = true;
        },
      };
    },
  } as unknown as EventBus;
  const revocations = createRevocations({
    bus,
    clock: () => new Date(state.now),
    logger: silentLogger(),
    load: options.load ?? (async () => nothing),
    retryMs: 1,
    ...(options.capacity ? { capacity: options.capacity } : {}),
  });
  return { revocations, state, listener: () => listener };
}

const at = (ms = 0) => new Date(start + ms).toISOString();
const session = (id: string, ms = 0): Revocation => ({ userId: 'u', sessionIds: [id], role: null, revokedAt: at(ms) });
const roleOf = (role: 'customer' | 'admin', ms = 0): Revocation => ({
  userId: 'u',
  sessionIds: null,
  role,
  revokedAt: at(ms),
});
const token = (sid = 's', role: 'customer' | 'admin' = 'customer', sub = 'u') => ({ sub, sid, role });

test('a session that ended is refused, others are not', () => {
  const { revocations } = setUp();
  revocations.add(session('s'));
  assert.ok(revocations.isRevoked(token('s')));
  assert.ok(!revocations.isRevoked(token('other')));
});

test('of a deleted user every token is refused', () => {
  const { revocations } = setUp();
  revocations.add({ userId: 'u', sessionIds: null, role: null, revokedAt: at() });
  assert.ok(revocations.isRevoked(token('any')));
  assert.ok(!revocations.isRevoked(token('any', 'customer', 'v')));
});

test('after a change of role only tokens with the present role count, whenever they were made', () => {
  const { revocations } = setUp();
  revocations.add(roleOf('admin', 1_000));
  assert.ok(revocations.isRevoked(token('s', 'customer')));
  assert.ok(!revocations.isRevoked(token('s', 'admin')));
  revocations.add(roleOf('customer', 2_000));
  assert.ok(revocations.isRevoked(token('s', 'admin')));
  assert.ok(!revocations.isRevoked(token('s', 'customer')));
});

test('an older change of role that arrives late changes nothing', () => {
  const { revocations } = setUp();
  revocations.add(roleOf('customer', 2_000));
  revocations.add(roleOf('admin', 1_000));
  assert.ok(revocations.isRevoked(token('s', 'admin')));
});

test('an entry is remembered for longer than any token of it lives, and then forgotten', () => {
  const { revocations, state } = setUp();
  revocations.add(session('s'));
  state.now = start + accessTokenMs + revocationSlackMs - 1;
  assert.ok(revocations.isRevoked(token('s')));
  state.now += 1;
  assert.ok(!revocations.isRevoked(token('s')));
  revocations.add(session('late'));
  assert.ok(!revocations.isRevoked(token('late')), 'too old when it arrives');
});

test('memory is bounded: the oldest entries go first', () => {
  const { revocations } = setUp({ capacity: 3 });
  for (const id of ['a', 'b', 'c', 'd', 'e']) revocations.add(session(id));
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].filter(id => revocations.isRevoked(token(id))),
    ['c', 'd', 'e'],
  );
});

test('the start loads what was before, and a gap loads it again', async () => {
  let ended = ['before'];
  const { revocations, state, listener } = setUp({
    load: async () => ({
      sessions: ended.map(id => ({ id, at: at() })),
      users: [{ id: 'deleted', at: at() }],
      roles: [{ id: 'promoted', role: 'admin', at: at() }],
    }),
  });
  await revocations.start();
  assert.ok(revocations.isRevoked(token('before')));
  assert.ok(revocations.isRevoked(token('x', 'customer', 'deleted')));
  assert.ok(revocations.isRevoked(token('x', 'customer', 'promoted')));
  assert.ok(!revocations.isRevoked(token('x', 'admin', 'promoted')));
  ended = ['missed'];
  await listener()?.onGap?.();
  assert.ok(revocations.isRevoked(token('missed')));
  assert.ok(revocations.isRevoked(token('before')), 'what was known stays');
  await revocations.stop();
  assert.ok(state.stopped);
});

test('a load that fails is repeated until it succeeds', async () => {
  let tries = 0;
  const loaded = Promise.withResolvers<void>();
  const { revocations } = setUp({
    load: async () => {
      tries += 1;
      if (tries < 4) throw new Error('not there yet');
      loaded.resolve();
      return { ...nothing, sessions: [{ id: 's', at: at() }] };
    },
  });
  await revocations.start();
  assert.ok(!revocations.isRevoked(token('s')));
  await loaded.promise;
  await new Promise(resolve => setImmediate(resolve));
  assert.ok(revocations.isRevoked(token('s')));
  assert.equal(tries, 4);
  await revocations.stop();
});

test('stopping ends the repeated loading', async () => {
  const { revocations } = setUp({ load: () => Promise.reject(new Error('never there')) });
  await revocations.start();
  await revocations.stop();
});
