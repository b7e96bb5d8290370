import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startFaultyLink } from './faultyLink.ts';

/** A client of a server that sends everything back, through a link. */
async function open(t: TestContext) {
  const server = createServer(socket => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const link = await startFaultyLink({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const client = connect({ host: '127.0.0.1', port: link.port });
  const pieces: string[] = [];
  client.on('data', bytes => pieces.push(String(bytes)));
  t.after(async () => {
    client.destroy();
    await link.close();
    server.close();
  });
  await once(client, 'connect');
  return {
    ...{ link, client, pieces },
    async got(text: string): Promise<void> {
      while (pieces.join('') !== text) await once(client, 'data');
    },
  };
}

test('a link that drips passes bytes on one by one, and at once when it is mended', async t => {
  const { link, client, pieces, got } = await open(t);
  link.drip(20);
  client.write('drops');
  await got('drops');
  assert.ok(pieces.length > 1 && link.piecesHeld() === 5, pieces.join('|'));
  link.drip(3_600_000);
  client.write(' and more');
  while (link.piecesHeld() < 6) await new Promise(resolve => setTimeout(resolve, 5));
  link.mend();
  await got('drops and more');
});

test('a link that hangs passes nothing on until it is mended, and one that is slow does later', async t => {
  const { link, client, pieces, got } = await open(t);
  link.hang();
  client.write('late');
  while (link.piecesHeld() < 1) await new Promise(resolve => setTimeout(resolve, 5));
  assert.deepEqual(pieces, []);
  link.mend();
  await got('late');
  link.delay(10);
  client.write(' again');
  await got('late again');
  assert.equal(link.piecesHeld(), 2);
});
