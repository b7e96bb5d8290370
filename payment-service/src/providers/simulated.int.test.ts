import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newId } from '@tradepost/shared/ids';
import { buildIndexes } from '@tradepost/shared/mongo';
import { testConnection } from '../payments.testing.ts';
import { ProviderError } from './provider.ts';
import { createSimulatedProvider } from './simulated.ts';

const soon = () => AbortSignal.timeout(1_000);
const never = new AbortController().signal;

const connection = await testConnection({ after });
const waits: number[] = [];
const provider = createSimulatedProvider({
  connection,
  clock: () => new Date(0),
  newId,
  pause: async ms => void waits.push(ms),
});
await buildIndexes(connection);
const charge = (orderId: string, token: string, amount = 1_000) => ({ orderId, token, amount, currency: 'GBP' });
const isUnknown = (kind: string) => (error: unknown) => error instanceof ProviderError && error.kind === kind;

test('tok_visa captures', async () => {
  const outcome = await provider.charge(charge('visa', 'tok_visa'), never);
  assert.equal(outcome.status, 'captured');
  assert.equal(outcome.status === 'captured' && outcome.amount, 1_000);
});

for (const [token, reason] of [
  ['tok_declined', 'card_declined'],
  ['tok_insufficient_funds', 'insufficient_funds'],
  ['tok_anything', 'invalid_token'],
  ['toString', 'invalid_token'],
] as const) {
  test(`${token} declines: ${reason}`, async () => {
    assert.deepEqual(await provider.charge(charge(token, token), never), { status: 'declined', reason });
  });
}

test('tok_flaky fails twice with a server error, then captures', async () => {
  await assert.rejects(provider.charge(charge('flaky', 'tok_flaky'), never), isUnknown('failed'));
  await assert.rejects(provider.charge(charge('flaky', 'tok_flaky'), never), isUnknown('failed'));
  assert.equal((await provider.find({ orderId: 'flaky' }, never))?.outcome, undefined);
  assert.equal((await provider.charge(charge('flaky', 'tok_flaky'), never)).status, 'captured');
});

test('tok_timeout captures, but its first answer never comes', async () => {
  await assert.rejects(provider.charge(charge('lost', 'tok_timeout'), soon()), isUnknown('late'));
  assert.equal((await provider.find({ orderId: 'lost' }, never))?.outcome?.status, 'captured');
  assert.equal((await provider.charge(charge('lost', 'tok_timeout'), never)).status, 'captured');
});

test('tok_slow captures after three seconds', async () => {
  assert.equal((await provider.charge(charge('slow', 'tok_slow'), never)).status, 'captured');
  assert.deepEqual(waits, [3_000]);
  await provider.charge(charge('slow', 'tok_slow'), never);
  assert.deepEqual(waits, [3_000], 'what is decided is answered at once');
});

test('the same key gives the same result, and captures once for 20 calls at a time', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => provider.charge(charge('same', 'tok_visa'), never)),
  );
  assert.equal(new Set(outcomes.map(one => JSON.stringify(one))).size, 1);
});

test('the same key with other parameters is an error', async () => {
  await provider.charge(charge('other', 'tok_visa'), never);
  await assert.rejects(provider.charge(charge('other', 'tok_visa', 999), never), isUnknown('refused'));
  await assert.rejects(provider.charge(charge('other', 'tok_slow'), never), isUnknown('refused'));
  await assert.rejects(
    provider.charge({ ...charge('other', 'tok_visa'), currency: 'EUR' }, never),
    isUnknown('refused'),
  );
});

test('… also while it has only failed so far', async () => {
  await assert.rejects(provider.charge(charge('half', 'tok_flaky'), never), isUnknown('failed'));
  await assert.rejects(provider.charge(charge('half', 'tok_visa'), never), isUnknown('refused'));
  await assert.rejects(provider.charge(charge('half', 'tok_flaky', 1), never), isUnknown('refused'));
});

test('a cancelled key never captures; a captured one stays captured', async () => {
  assert.deepEqual(await provider.cancel?.(charge('void', 'tok_visa'), never), {
    status: 'declined',
    reason: 'cancelled',
  });
  assert.deepEqual(await provider.charge(charge('void', 'tok_visa'), never), {
    status: 'declined',
    reason: 'cancelled',
  });
  await provider.charge(charge('kept', 'tok_visa'), never);
  assert.equal((await provider.cancel?.(charge('kept', 'tok_visa'), never))?.status, 'captured');
});

test('100 races of charge against cancel: both hear the same', async () => {
  const answers = new Set<string>();
  for (let race = 0; race < 100; race += 1) {
    const one = charge(`race-${race}`, race % 2 ? 'tok_visa' : 'tok_flaky');
    const asked = [() => provider.charge(one, never), () => provider.cancel?.(one, never)];
    const [a, b] = await Promise.allSettled((race % 3 ? asked : asked.reverse()).map(ask => ask()));
    const last = await provider.charge(one, never).catch(() => provider.charge(one, never));
    for (const heard of [a, b]) {
      if (heard?.status === 'fulfilled') assert.deepEqual(heard.value, last);
    }
    answers.add(last.status);
  }
  assert.ok(answers.has('declined'));
});

test('refunds: once per key, never more than is left, errors for other parameters', async () => {
  const captured = await provider.charge(charge('back', 'tok_visa'), never);
  const { providerId } = captured as { providerId: string };
  const refund = (id: string, amount: number) => ({ id, amount, orderId: 'back', providerId, currency: 'GBP' });
  await Promise.all(Array.from({ length: 20 }, () => provider.refund(refund('r1', 400), never)));
  assert.equal((await provider.find({ orderId: 'back' }, never))?.refunded, 400);
  await assert.rejects(provider.refund(refund('r1', 401), never), isUnknown('refused'));
  await assert.rejects(provider.refund(refund('r2', 601), never), isUnknown('refused'));
  assert.equal(await provider.findRefund(refund('r1', 400), never), true);
  assert.equal(await provider.findRefund(refund('r2', 601), never), false);
  await provider.refund(refund('r3', 600), never);
  assert.equal((await provider.find({ orderId: 'back' }, never))?.refunded, 1_000);

  const other = await provider.charge(charge('back-2', 'tok_visa'), never);
  const foreign = { ...refund('r1', 400), orderId: 'back-2', ...(other as { providerId: string }) };
  await assert.rejects(provider.refund({ ...foreign, amount: 400 }, never), isUnknown('refused'));
  await assert.rejects(provider.refund({ ...refund('r9', 1), orderId: 'unknown' }, never), isUnknown('refused'));
});

test('its books are paged by order', async () => {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await provider.ledger({ limit: 7, ...(after === undefined ? {} : { after }) }, never);
    seen.push(...page.items.map(entry => entry.orderId));
    if (page.next === null) break;
    after = page.next;
  }
  assert.deepEqual(seen, [...new Set(seen)].sort());
  assert.ok(seen.length > 100);
});

test('what it tells of many orders at once is what it tells of each, also while they change', async () => {
  const orderIds = Array.from({ length: 120 }, (_, index) => `many-${index}`);
  const known = orderIds.filter((_, index) => index % 5 === 0);
  await Array.fromAsync(known, orderId => provider.charge(charge(orderId, 'tok_visa'), never));
  const findAll = () => Promise.all(orderIds.map(orderId => provider.find({ orderId }, never)));
  const ask = async () => {
    const found = await findAll();
    for (const [index, orderId] of orderIds.entries()) {
      assert.equal(found[index]?.outcome?.status, known.includes(orderId) ? 'captured' : undefined);
    }
    return found.map(entry => entry?.refunded ?? 0);
  };
  const before = await ask();
  const refunds = Array.fromAsync(known, async orderId => {
    const { outcome } = (await provider.find({ orderId }, never)) ?? {};
    const { providerId } = outcome as { providerId: string };
    await provider.refund({ id: `r-${orderId}`, orderId, providerId, amount: 100, currency: 'GBP' }, never);
  });
  const [during] = await Promise.all([ask(), ask(), ask(), refunds]);
  const after = await ask();
  assert.deepEqual(new Set(before), new Set([0]));
  assert.ok(during.every(amount => amount === 0 || amount === 100));
  assert.equal(after.filter(amount => amount === 100).length, known.length);
});
