import assert from 'node:assert/strict';
import { test } from 'node:test';
import { send } from '../api/send.ts';
import { startChildShop } from './childShop.ts';
import { eventually } from './testShop.ts';

/** Everything that no line of a log may have. */
const said = {
  name: 'Wilhelmina Jabberwock',
  email: 'wilhelmina.quux@example.com',
  password: 'vexing-zephyr-password',
  newPassword: 'quartz-judge-password',
  line1: '77 Quixotic Lane',
  city: 'Zzyzxville',
  postcode: 'QX9 9ZZ',
  phone: '+441632960961',
  search: 'xylophonic',
  card: 'tok_visa',
  declined: 'tok_declined',
  broken: 'tok_flaky',
  carrier: 'Vulpine Couriers',
};
const admin = { email: 'admin.sphinx@example.com', password: 'sphinx-of-black-quartz' };

test('no line of any log has a secret or says who somebody is, wherever a client puts it', async () => {
  const shop = startChildShop(
    {
      ...{ LOG_LEVEL: 'trace', AUTH_RATE_LIMIT: '20' },
      ...{ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password },
    },
    ['--memory'],
  );
  const url = await shop.ready();
  const ask = (method: string, path: string, options?: Parameters<typeof send>[3]) => send(url, method, path, options);
  const { email, password, name } = said;
  const registered = await ask('POST', '/api/users/register', { body: { email, password, name } });
  assert.equal(registered.status, 201);
  const { accessToken: token, refreshToken } = registered.body;
  const boss: string = (await ask('POST', '/api/users/login', { body: admin })).body.accessToken;
  const teapot = (await ask('GET', `/api/products?sku=KIT-TEAPOT`)).body.items[0].id;
  const address = { name, line1: said.line1, city: said.city, postcode: said.postcode, country: 'GB' };
  const order = (card: string, quantity = 1) =>
    ask('POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': `key-${card}-${quantity}` },
      body: { items: [{ productId: teapot, quantity }], shippingAddress: address, payment: { token: card } },
    });
  const good = await order(said.card);
  const orders = [
    good,
    await order(said.declined),
    await order(said.broken),
    await order('tok_jabberwock'),
    await order(said.card, 999),
  ];
  assert.deepEqual(
    orders.map(({ status }) => status),
    [201, 402, 201, 402, 409],
  );
  const odd = { name, email, password, token, line1: said.line1, phone: said.phone, cardToken: said.card };
  const query = new URLSearchParams(odd).toString();
  const secretHeaders = {
    Authorization: `Basic ${said.password}`,
    Cookie: `session=${token}`,
    'X-Api-Key': refreshToken,
  };
  const refused = [
    ask('POST', '/api/users/register', { body: { email, password, name } }),
    ask('POST', '/api/users/login', { body: { email, password: said.newPassword } }),
    ask('POST', '/api/users/login', { body: odd }),
    ask('POST', '/api/users/login', { body: `{"password": "${password}", ` }),
    ask('POST', '/api/users/refresh', { body: { refreshToken: `${refreshToken}x` } }),
    ask('GET', `/api/products?${query}`),
    ask('GET', `/api/users/${email}`, { token }),
    ask('GET', `/api/orders/${password}`, { token }),
    ask('GET', `/${password}/${encodeURIComponent(said.line1)}/${token}`),
    ask('GET', `/api/users?email=${encodeURIComponent(email)}`, { token }),
    ask('GET', '/api/users/me', { headers: secretHeaders }),
    ask('POST', '/api/users/me/addresses', { token, body: { ...address, country: said.city } }),
    ask('PATCH', '/api/users/me', { token, body: { name: [name, email] } }),
    ask('POST', `/api/payments/webhooks/${said.card}`, { body: odd, headers: { 'Stripe-Signature': password } }),
  ];
  for (const { status } of await Promise.all(refused)) assert.ok(status >= 400 && status < 500, String(status));
  const done = [
    await ask('GET', `/api/products?search=${said.search}`),
    await ask('GET', `/api/users?email=${encodeURIComponent(email)}`, { token: boss }),
    await ask('POST', '/api/users/me/addresses', { token, body: { ...address, phone: said.phone } }),
    await ask('POST', `/api/orders/${good.body.id}/ship`, {
      token: boss,
      body: { carrier: said.carrier, trackingNumber: 'T1' },
    }),
    await ask('POST', '/api/users/me/password', {
      token,
      body: { currentPassword: password, newPassword: said.newPassword },
    }),
    await ask('DELETE', '/api/users/me', { token }),
  ];
  for (const { status, body } of done) assert.ok(status < 300, JSON.stringify(body));
  const heard = () => (shop.output.stderr.match(/message handled/g) ?? []).length;
  await eventually(async () => /queue=\S+user\.deleted/.test(shop.output.stderr) && heard(), Boolean, 30_000);
  shop.process.kill('SIGTERM');
  assert.equal(await shop.ended, 0);

  const log = shop.output.stderr;
  assert.match(log, /message published .*type=order\.confirmed/);
  assert.match(log, new RegExp(`orderId=${good.body.id}`));
  const lines = log.split('\n');
  assert.ok(lines.filter(line => / request /.test(line)).length > 40, 'every request is told');
  const secrets = [
    ...Object.values(said),
    ...Object.values(admin),
    token,
    refreshToken,
    boss,
    'jabberwock',
    'example.com',
  ];
  for (const secret of secrets) {
    for (const form of new Set([secret, encodeURIComponent(secret)])) {
      const found = lines.filter(line => line.toLowerCase().includes(form.toLowerCase()));
      assert.deepEqual(found, [], `${form} is in the log`);
    }
  }
});
