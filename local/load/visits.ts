import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Answer, Person } from './customers.ts';

/** What became of the visits so far. */
export interface Tally {
  /** Orders by how they ended: `confirmed`, `pending`, or the code or status of the refusal. */
  orders: Record<string, number>;
  /** Requests that were answered by 5xx or not at all. */
  failed: number;
  /** Visits that were left out because too many were under way. */
  skipped: number;
}

const productPage = z.object({ items: z.array(z.object({ id: z.string() })) });
const orderOrProblem = z.object({
  id: z.string().optional(),
  status: z.union([z.string(), z.number()]).optional(),
  code: z.string().optional(),
});

const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };
const [declinedShare, cancelledShare, mostPieces] = [0.05, 0.05, 3];
const enoughStock = 1_000_000;

export interface VisitOptions {
  /** Fills stock up when it is gone. */
  admin: Person;
  tally: Tally;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** Makes the visits of customers: looking round, ordering, now and then with a bad card or a change of mind. */
export function createVisits({ admin, tally, random }: VisitOptions) {
  const seen = (answer: Answer): Answer => {
    if (answer.status === 0 || answer.status >= 500) tally.failed += 1;
    return answer;
  };

  async function order(customer: Person, productId: string): Promise<void> {
    const quantity = 1 + Math.floor(random() * mostPieces);
    const token = random() < declinedShare ? 'tok_declined' : 'tok_visa';
    const body = { items: [{ productId, quantity }], shippingAddress: address, payment: { token } };
    const headers = { 'Idempotency-Key': randomUUID() };
    const answer = seen(await customer.send('POST', '/api/orders', { body, headers }));
    const { id, status, code } = orderOrProblem.safeParse(answer.body).data ?? {};
    const end = String(code ?? status ?? answer.status);
    tally.orders[end] = (tally.orders[end] ?? 0) + 1;
    if (answer.status === 409)
      await admin.send('PATCH', `/api/inventory/${productId}`, { body: { onHand: enoughStock } });
    if (id === undefined || answer.status >= 300) return;
    seen(await customer.send('GET', `/api/orders/${id}`));
    if (random() < cancelledShare) seen(await customer.send('POST', `/api/orders/${id}/cancel`));
  }

  return async function visit(customer: Person): Promise<void> {
    const page = seen(await customer.send('GET', '/api/products?limit=50'));
    const items = productPage.safeParse(page.body).data?.items ?? [];
    const product = items[Math.floor(random() * items.length)];
    if (!product) return;
    seen(await customer.send('GET', `/api/products/${product.id}`));
    seen(await customer.send('GET', `/api/inventory/${product.id}`));
    await order(customer, product.id);
  };
}
