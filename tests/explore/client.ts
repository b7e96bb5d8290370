import type { Call } from '@tradepost/shared/http/client';
import type { Answer } from '@tradepost/shared/http/route';
import { settle, type World } from './world.ts';

/** An order as its client knows it. */
export interface Placed {
  key: string;
  user: { id: string };
  call: Call;
  answer?: Answer | { error: unknown };
}

const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

/** The call that orders one piece of each product. */
export const orderOf = (products: readonly string[], token: string): Call => ({
  method: 'post',
  path: '/api/orders',
  body: {
    items: products.map(productId => ({ productId, quantity: 1 })),
    shippingAddress: address,
    payment: { token },
  },
  repeatable: true,
});

/** Asks for the order once; an answer that is no end is none. */
export async function place(world: World, one: Placed): Promise<void> {
  const answer = await world.ask(one.call, one.user, { 'idempotency-key': one.key });
  if (answer && isFinal(answer)) one.answer ??= answer;
}

function isFinal(answer: Answer | { error: unknown }): boolean {
  if ('status' in answer) return answer.status === 201;
  const { code } = answer.error as { code?: string };
  return ['insufficient_stock', 'payment_declined', 'hold_gone', 'invalid_transition'].includes(code ?? '');
}

/** Asks again, as often as it takes, as a client without an answer does. */
export async function askUntilAnswered(world: World, one: Placed): Promise<void> {
  for (let tries = 0; !one.answer && tries < 20; tries += 1) {
    let over = false;
    void place(world, one).then(() => {
      over = true;
    });
    await settle(world, async () => over);
  }
}
