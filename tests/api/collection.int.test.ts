import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { collectionFile, collectionText } from '@tradepost/local/collection';
import { openApiFile } from '@tradepost/local/openapi';
import type { TestAnswer } from '@tradepost/local/testing';
import { targets } from '../fuzz/targets.ts';
import { startTestShop } from '../system/testShop.ts';

interface Item {
  name: string;
  event?: { script: { exec: string[] } }[];
  request: {
    method: string;
    auth?: { type: string };
    url: { raw: string; variable: { key: string; value: string }[] };
    header: { key: string; value: string; disabled?: boolean }[];
    body?: { raw: string };
  };
}
interface Collection {
  variable: { key: string; value: string }[];
  item: { name: string; item: Item[] }[];
}

const text = readFileSync(collectionFile, 'utf8');
const collection = JSON.parse(text) as Collection;
const items = collection.item.flatMap(folder => folder.item);

describe('the collection of requests', () => {
  test('is made from the document as it is', () => {
    assert.ok(
      text === collectionText(JSON.parse(readFileSync(openApiFile, 'utf8'))),
      'write it anew: npm run collection',
    );
  });

  test('has every operation once', () => assert.equal(items.length, targets.length));

  test('works through an order as it comes, with what each answer saves', async () => {
    const shop = await startTestShop();
    const variables = new Map(collection.variable.map(({ key, value }) => [key, value]));
    variables.set('$guid', 'a-key-of-its-own');
    const filled = (value: string) =>
      value.replace(/\{\{([\w$]+)\}\}/g, (_, name: string) => variables.get(name) ?? '');

    /** Sends a request as an importing program does, and runs what it says to do with the answer. */
    async function run(id: string): Promise<TestAnswer> {
      const summary = targets.find(target => target.id === id)?.documented.summary;
      const { request, event } = items.find(({ name }) => name === summary) as Item;
      const raw = request.url.variable.reduce((url, { key, value }) => url.replace(`:${key}`, value), request.url.raw);
      const headers = request.header.filter(one => !one.disabled).map(({ key, value }) => [key, filled(value)]);
      const token = variables.get('accessToken');
      const answer = await shop.send(request.method, filled(raw).replace(/^http:\/\/localhost:3000/, ''), {
        headers: Object.fromEntries(headers),
        ...(token && request.auth?.type !== 'noauth' ? { token } : {}),
        ...(request.body ? { body: filled(request.body.raw) } : {}),
      });
      assert.ok(answer.status < 300, `${id}: ${JSON.stringify(answer.body)}`);
      const script = event?.[0]?.script.exec.join('\n') ?? '';
      const pm = {
        response: { code: answer.status, json: () => answer.body },
        collectionVariables: { set: (name: string, value: string) => variables.set(name, value) },
      };
      runInNewContext(script, { pm });
      return answer;
    }

    for (const id of [
      'register',
      'login',
      'getMe',
      'updateMe',
      'addAddress',
      'replaceAddress',
      'listProducts',
      'getProduct',
    ]) {
      await run(id);
    }
    await run('createOrder');
    for (const id of ['getOrder', 'getOrderEvents', 'listOrders', 'getPayment', 'getStock', 'listStock', 'cancelOrder'])
      await run(id);
    assert.equal((await run('getOrder')).body.status, 'cancelled');
    await run('refresh');
    variables.set('accessToken', await shop.adminToken());
    for (const id of ['createProduct', 'patchProduct', 'importProducts', 'archiveProduct', 'auditShop']) await run(id);
  });
});
