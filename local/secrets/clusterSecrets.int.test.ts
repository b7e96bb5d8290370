import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { StartError } from '@tradepost/shared/lifecycle';
import { keptName, makeClusterSecrets, type SecretsApi, secretsApi } from './clusterSecrets.ts';
import { secretKinds } from './secrets.ts';

/** The Secrets of a namespace, as the API of a cluster has them (https://kubernetes.io/docs/reference/kubernetes-api/). */
async function startCluster(t: TestContext) {
  const secrets = new Map<string, Record<string, string>>();
  const state = { refuse: '', beforeCreate: (_name: string): void => {} };
  const path = '/api/v1/namespaces/tradepost/secrets';
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const send = (status: number, answer: object) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
    const name = request.method === 'POST' ? JSON.parse(body).metadata.name : request.url?.slice(path.length + 1);
    if (request.headers.authorization !== 'Bearer the-token') return send(401, { message: 'Unauthorized' });
    if (state.refuse === name) return send(403, { message: `secrets "${name}" is forbidden` });
    if (request.method === 'POST' && request.url === path) {
      state.beforeCreate(name);
      if (secrets.has(name)) return send(409, { message: 'already exists' });
      secrets.set(name, JSON.parse(body).stringData);
      return send(201, {});
    }
    const found = secrets.get(name);
    if (request.method !== 'GET' || !found) return send(404, { message: 'not found' });
    const data = Object.entries(found).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    return send(200, { data: Object.fromEntries(data) });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api: SecretsApi = secretsApi({ url, namespace: 'tradepost', token: 'the-token' });
  return { url, api, secrets, state };
}

test('a new namespace gets a Secret for every container, and a second time changes nothing', async t => {
  const { api, secrets } = await startCluster(t);
  const made = await makeClusterSecrets(api);
  assert.deepEqual(made.toSorted(), [...secrets.keys()].sort());
  assert.deepEqual(Object.keys(secrets.get(keptName) ?? {}).sort(), secretKinds.map(kind => kind.name).sort());
  const of = (name: string) => secrets.get(name) ?? {};
  assert.match(of('order-service')['mongodb-uri'] ?? '', /^mongodb:\/\/tradepost:[^@]+@order-db:27017\/order$/);
  assert.equal(of('order-service')['mongodb-uri']?.split(/[:@]/)[2], of('order-db').password);
  assert.equal(of('gateway')['service-token-secret'], of('order-service')['service-token-secret']);
  const before = structuredClone([...secrets]);
  assert.deepEqual(await makeClusterSecrets(api), []);
  assert.deepEqual([...secrets], before);
});

test('what was broken off goes on with the same secrets', async t => {
  const { api, secrets, state } = await startCluster(t);
  state.refuse = 'payment-db';
  await assert.rejects(makeClusterSecrets(api), (error: Error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /^making the Secret payment-db was refused: 403 .*forbidden$/);
    for (const value of Object.values(secrets.get(keptName) ?? {})) {
      assert.ok(value === '' || !error.message.includes(value), 'it shows a secret');
    }
    return true;
  });
  const kept = structuredClone(secrets.get(keptName));
  state.refuse = '';
  assert.ok((await makeClusterSecrets(api)).includes('payment-db'));
  assert.deepEqual(secrets.get(keptName), kept);
  assert.equal(secrets.get('payment-db')?.password, kept?.['payment-service-db-password']);
});

test('of two at the same time, one decides', async t => {
  const { api, secrets, state } = await startCluster(t);
  const other = await startCluster(t);
  await makeClusterSecrets(other.api);
  const theirs = other.secrets.get(keptName) ?? {};
  state.beforeCreate = name => {
    if (name === keptName && !secrets.has(name)) secrets.set(name, theirs);
  };
  assert.ok(!(await makeClusterSecrets(api)).includes(keptName));
  assert.deepEqual(secrets.get(keptName), theirs);
  assert.equal(secrets.get('user-service')?.['token-key-secret'], theirs['token-key-secret']);
});

test('a secret that a newer version needs is asked for by its name', async t => {
  const { api, secrets } = await startCluster(t);
  await makeClusterSecrets(api);
  delete secrets.get(keptName)?.['token-key-secret'];
  await assert.rejects(makeClusterSecrets(api), /lacks token-key-secret: /);
});

test('the command does it as the account of its pod, and says why not in a line', async t => {
  const { url, secrets } = await startCluster(t);
  const account = mkdtempSync(join(tmpdir(), 'tradepost-account-'));
  t.after(() => rmSync(account, { recursive: true }));
  writeFileSync(join(account, 'namespace'), 'tradepost');
  const command = new URL('../commands/clusterSecrets.ts', import.meta.url).pathname;
  const run = async (token: string) => {
    writeFileSync(join(account, 'token'), token);
    return new Promise<{ failed: boolean; output: string }>(resolve => {
      const env = { PATH: process.env.PATH, KUBERNETES_API: url, SERVICE_ACCOUNT: account };
      execFile(process.execPath, [command], { env }, (error, stdout, stderr) =>
        resolve({ failed: error !== null, output: stdout + stderr }),
      );
    });
  };
  assert.deepEqual(await run('wrong'), {
    failed: true,
    output: `reading the Secret ${keptName} was refused: 401 Unauthorized\n`,
  });
  const { failed, output } = await run('the-token');
  assert.equal(failed, false);
  assert.match(output, /^made: tradepost-secrets, /);
  assert.ok(secrets.has('rabbitmq'));
});
