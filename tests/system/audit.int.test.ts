import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openAudit } from '@tradepost/local/commands/openAudit';
import { withHeadless } from '@tradepost/local/headless';
import { databaseUri } from '@tradepost/local/infrastructure';
import { withShop } from '@tradepost/local/openShop';
import { createConnection } from '@tradepost/shared/mongo';
import type { Connection } from 'mongoose';
import { auditChecks } from '../../order-service/src/domain/audit.ts';
import type { AuditReport } from '../../order-service/src/services/auditShop.ts';
import { root } from '../architecture/sourceFiles.ts';
import { temporaryFolder } from './childShop.ts';
import { type AuditedOrders, corruptionsOf } from './corruptions.ts';
import { createSpoiler } from './spoiler.ts';
import { type Customer, eventually, startTestShop } from './testShop.ts';

const folder = temporaryFolder();
const quantity = 3;

const orders: AuditedOrders = { paid: '', shipped: '', refundedInPart: '', cancelled: '', declined: '', short: '' };
let productId = '';

/** Runs `npm run audit` or `npm run rebuild-views`. */
const command = (name: 'audit' | 'rebuildViews'): Promise<{ code: number; stdout: string }> =>
  new Promise(resolve => {
    const script = join(root, 'local', 'commands', `${name}.ts`);
    execFile(process.execPath, [script], { cwd: root, env: { DATA_DIR: folder } }, (error, stdout) =>
      resolve({ code: Number(error?.code ?? 0), stdout }),
    );
  });

const named = ({ findings }: Pick<AuditReport, 'findings'>) =>
  [...new Set(findings.map(({ check, id }) => `${check} ${id}`))].sort();

const shop = await startTestShop({ dataDir: folder });
const connections: Connection[] = [];
after(() => Promise.all(connections.map(one => one.close())));
const auditOf = (token: string, patienceMs?: number) =>
  shop.send('GET', `/api/operations/audit${patienceMs === undefined ? '' : `?patienceMs=${patienceMs}`}`, { token });

let customer: Customer;
let admin: string;
before(async () => {
  [customer, admin] = [await shop.register(), await shop.adminToken()];
  productId = (await shop.productBySku('GAR-SEEDS')).id;
});

describe('while the shop runs', () => {
  test('orders of every kind leave the books clean', async () => {
    const order = async (options: { payment?: string } = {}, pieces = quantity) => {
      const { body } = await shop.orderToEnd(customer.token, [{ productId, quantity: pieces }], options);
      return body.id ?? body.orderId;
    };
    const act = async (id: string, action: string, body: unknown) => {
      const { status } = await shop.send('POST', `/api/orders/${id}/${action}`, { token: admin, body });
      assert.equal(status, 200, action);
    };
    for (const kind of ['paid', 'shipped', 'refundedInPart', 'cancelled'] as const) orders[kind] = await order();
    orders.declined = await order({ payment: 'tok_declined' });
    orders.short = await order({}, 100_000);
    await act(orders.shipped, 'ship', { carrier: 'Post', trackingNumber: '1' });
    await act(orders.refundedInPart, 'refund', { amount: 100, reason: 'torn' });
    await act(orders.cancelled, 'cancel', {});
    const { body } = await eventually(
      () => auditOf(admin, 0),
      answer => answer.body.clean,
    );
    for (const { check, checked } of body.checks) assert.ok(checked > 0, `${check} has looked at something`);
  });

  test('an audit raises no false alarm while orders flow', async () => {
    let [audits, buying] = [0, true];
    const buy = async ({ token }: Customer): Promise<void> => {
      for (let n = 0; n < 4; n += 1) {
        const { body } = await shop.orderToEnd(token, [{ productId, quantity: 1 }]);
        if (n % 3 === 0) await shop.send('POST', `/api/orders/${body.id}/cancel`, { token, body: {} });
      }
    };
    const watch = async (): Promise<void> => {
      for (; buying; audits += 1) assert.deepEqual((await auditOf(admin)).body.findings, []);
    };
    const buyers = await Promise.all(Array.from({ length: 4 }, () => shop.register()));
    const bought = Promise.all(buyers.map(buy)).finally(() => {
      buying = false;
    });
    await Promise.all([bought, watch()]);
    assert.ok(audits > 0);
    await eventually(
      () => auditOf(admin, 0),
      answer => answer.body.clean,
    );
  });

  test('only an administrator may ask', async () => {
    assert.equal((await auditOf(customer.token)).body.code, 'forbidden');
    assert.equal((await shop.send('GET', '/api/operations/audit')).body.code, 'unauthenticated');
    for (const patience of ['-1', '1.5', 'long', '3600001'])
      assert.equal((await auditOf(admin, patience as never)).body.code, 'invalid_request', patience);
  });

  test('npm run audit and the operation find the same, and the command ends with 1', async () => {
    const connect = async (service: string) => {
      const connection = createConnection(databaseUri(shop.mongodbUri, service));
      connections.push(connection);
      return connection.asPromise();
    };
    const spoiler = createSpoiler(connect);
    await createSpoiler(connect).remove('order-service/orders', { _id: orders.paid });
    await spoiler.change('payment-service/payments', { _id: orders.shipped }, { $inc: { amount: 1 } });
    const [{ body }, printed] = await Promise.all([auditOf(admin), command('audit')]);
    assert.deepEqual(named(body), [
      ...[`money ${orders.shipped}`, `provider ${orders.shipped}`, `view ${orders.paid}`].sort(),
    ]);
    assert.equal(printed.code, 1);
    for (const { check, id, detail } of body.findings)
      assert.ok(printed.stdout.includes(`\n${check}  ${id}  ${detail}\n`), printed.stdout);
    for (const { check, checked, findings } of body.checks) {
      const row = new RegExp(`^${findings > 0 ? 'OFF' : 'ok '} +${check} +${checked} +${findings} `, 'm');
      assert.match(printed.stdout, row);
    }
    assert.match(printed.stdout, /\n3 findings \(\d+ ms\)\n$/);
    await spoiler.mend();
    const rebuilt = await command('rebuildViews');
    assert.match(rebuilt.stdout, /^\d+ orders folded, 1 views mended\n$/);
    assert.equal(rebuilt.code, 0);
    assert.deepEqual((await auditOf(admin)).body.findings, []);
    const clean = await command('audit');
    assert.equal(clean.code, 0, clean.stdout);
    assert.match(clean.stdout, /\nThe books are clean \(\d+ ms\)\n$/);
  });
});

test('the audit names every corruption, and nothing else', async t => {
  await shop.stop();
  const corruptions = corruptionsOf(orders, productId);
  const expected = new Set(corruptions.flatMap(one => one.finds.map(found => found.split(' ')[0])));
  assert.deepEqual([...expected].sort(), Object.keys(auditChecks).sort(), 'every check is met');
  let now = 0;
  const day = 86_400_000;
  await withShop({ DATA_DIR: folder }, shop =>
    withHeadless(shop, ['inventory-service', 'payment-service'], async client => {
      const known = new Map<string, Promise<Connection>>();
      const open = (service: string): Promise<Connection> => {
        const connection = known.get(service) ?? shop.connect(service);
        known.set(service, connection);
        return connection;
      };
      const spoiler = createSpoiler(open);
      const audit = await openAudit(shop, client, { clock: () => new Date(now), pause: async () => {} });
      const look = async (at: number): Promise<string[]> => {
        now = at;
        return named(await audit());
      };
      const orderViews = (await open('order-service')).collection<{ _id: string; updatedAt: Date }>('orders');
      const shippedAt = (await orderViews.findOne({ _id: orders.shipped }))?.updatedAt.getTime() ?? Number.NaN;
      const [young, old] = [shippedAt, Date.now() + day];
      assert.deepEqual(await look(old), []);
      for (const { name, finds, spoil, isYoung } of corruptions) {
        await t.test(name, async () => {
          await spoil(spoiler);
          try {
            assert.deepEqual(await look(isYoung ? young : old), finds.sort());
          } finally {
            // What stayed would be named with the next one.
            await spoiler.mend();
          }
        });
      }
      assert.deepEqual(await look(old), []);
      await t.test('unfinished work counts from 30 s on', async () => {
        await spoiler.change('order-service/sagas', { _id: orders.shipped }, { $set: { status: 'running' } });
        assert.deepEqual(await look(shippedAt + 30_000), []);
        assert.deepEqual(await look(shippedAt + 30_001), [`unfinished ${orders.shipped}`]);
        await spoiler.mend();
      });
    }),
  );
});
