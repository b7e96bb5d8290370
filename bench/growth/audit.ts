import { withProgress } from '@tradepost/local/commands/progressBar';
import { systemClock } from '@tradepost/shared/clock';
import { type ServiceName, serviceNames, staticDiscovery } from '@tradepost/shared/discovery';
import { createServiceTokenSigner } from '@tradepost/shared/http/auth';
import { createServiceClient } from '@tradepost/shared/http/client';
import { compareFinished } from '../../order-service/src/domain/audit.ts';
import { fold, productIdsOf } from '../../order-service/src/domain/order.ts';
import { recorded } from '../../order-service/src/events/eventStore.ts';
import { sameView } from '../../order-service/src/events/views.ts';
import type { CommitDocument } from '../../order-service/src/models/commit.ts';
import type { AuditSources } from '../../order-service/src/services/auditShop.ts';
import { auditSources } from '../../order-service/src/services/ports.ts';
import { type Branch, portOf } from './branch.ts';

/** Up to so many stored orders the shop's own audit looks at every one; of more, so many are drawn. */
const everyUpTo = 20_000;
const drawn = 2_000;
const batchSize = 50;

/**
 * Holds the books of a branch against each other: by the shop's own audit, which looks at everything, or where that would
 * take too long by the same comparisons of orders drawn from all, and of the whole stock with its whole ledger.
 * @returns how many orders were looked at
 * @throws Error when something is wrong
 */
export async function checkBooks(branch: Branch, say: (line: string) => void): Promise<number> {
  const { name, orders, shop } = branch;
  if (orders > everyUpTo) {
    say(`${name}: auditing ${drawn} of the orders, and all stock`);
    await checkDrawn(branch);
    return drawn;
  }
  say(`${name}: auditing everything`);
  const { status, body } = await shop.send('GET', '/api/operations/audit', { token: await shop.adminToken() });
  if (body.clean !== true) throw new Error(`the books are wrong: ${status} ${JSON.stringify(body.findings ?? body)}`);
  return body.checks.find(({ check }: { check: string }) => check === 'view').checked;
}

async function checkDrawn(branch: Branch): Promise<void> {
  const sources = sourcesOf(branch);
  const orders = branch.databases.collection('order-service/orders');
  const ids = (await orders.aggregate<{ _id: string }>([{ $sample: { size: drawn } }]).toArray()).map(({ _id }) => _id);
  await withProgress('orders audited', async onProgress => {
    for (let start = 0; start < ids.length; start += batchSize) {
      await checkOrders(branch, ids.slice(start, start + batchSize), sources);
      onProgress(start, ids.length);
    }
  });
  for (let cursor: string | undefined; ; ) {
    const { items, nextCursor } = await sources.products(cursor);
    const wrong = items.filter(({ discrepancies }) => discrepancies.length > 0);
    if (wrong.length > 0) throw new Error(`the stock is wrong: ${JSON.stringify(wrong)}`);
    if (nextCursor === null) return;
    cursor = nextCursor;
  }
}

async function checkOrders({ databases }: Branch, ids: string[], sources: AuditSources): Promise<void> {
  const among = { $in: ids };
  const read = (name: string, filter: object) => databases.collection(name).find(filter).sort({ version: 1 }).toArray();
  const [commits, sagas, views] = await Promise.all([
    read('order-service/events', { orderId: among }),
    read('order-service/sagas', { _id: among }),
    read('order-service/orders', { _id: among }),
  ]);
  const streams = Map.groupBy(commits as unknown as CommitDocument[], ({ orderId }) => orderId);
  const orders = ids.map(orderId => {
    const stream = streams.get(orderId) ?? [];
    const order = fold(stream.flatMap(recorded));
    const isFinished = sagas.some(saga => saga._id === orderId && saga.status === 'done');
    const isPublished = stream.every(({ pending }) => pending === undefined);
    const view = views.find(({ _id }) => _id === orderId);
    if (!order || !isFinished || !isPublished || !sameView(view, order))
      throw new Error(`order ${orderId} is not sound`);
    return { orderId, order };
  });
  const [stock, payments] = await Promise.all([
    sources.stockOf(orders.map(({ orderId, order }) => ({ orderId, productIds: productIdsOf(order) }))),
    sources.paymentsOf(ids),
  ]);
  const findings = orders.flatMap(({ orderId, order }) => {
    const payment = payments.find(one => one.orderId === orderId);
    const disagrees = payment?.agrees === false ? [`payment of ${orderId}`] : [];
    const ofOrder = stock.filter(one => one.orderId === orderId);
    return [...disagrees, ...compareFinished(orderId, order, payment, ofOrder)];
  });
  if (findings.length > 0) throw new Error(`the books are wrong: ${JSON.stringify(findings)}`);
}

/** The services that the branch runs, asked as order-service asks them. */
function sourcesOf(branch: Branch): AuditSources {
  const addresses = serviceNames.map(name => [name, [`http://127.0.0.1:${portOf(branch, name)}`]] as const);
  const discovery = staticDiscovery(Object.fromEntries(addresses) as unknown as Record<ServiceName, string[]>);
  const signToken = createServiceTokenSigner('order-service', branch.servers.secrets.serviceTokenSecret, systemClock);
  const client = (callee: ServiceName) => createServiceClient({ callee, discovery, signToken, random: Math.random });
  return auditSources(client('inventory-service'), client('payment-service'));
}
