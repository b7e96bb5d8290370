import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import mongoose from 'mongoose';
import { type DocumentStore, startDocumentStore } from '../documentStore.ts';

describe('bytes that are no request', () => {
  let store: DocumentStore;
  before(async () => {
    store = await startDocumentStore({ memory: true, port: 0 });
  });
  after(() => store.close());

  const header = (length: number, opcode: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeInt32LE(length, 0);
    bytes.writeInt32LE(opcode, 12);
    return bytes;
  };
  const garbage: [string, Buffer][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a negative length', header(-1, 2013)],
    ['a length of 0', header(0, 2013)],
    ['a huge length', header(0x7fffffff, 2013)],
    ['an unknown opcode', header(16, 9999)],
    ['compression', header(16, 2012)],
    ['an empty OP_MSG', header(16, 2013)],
    ['a section of an unknown kind', Buffer.concat([header(26, 2013), Buffer.of(0, 0, 0, 0, 7, 5, 0, 0, 0, 0)])],
    ['unknown required flags', Buffer.concat([header(26, 2013), Buffer.of(4, 0, 0, 0, 0, 5, 0, 0, 0, 0)])],
    ['a body longer than its message', Buffer.concat([header(26, 2013), Buffer.of(0, 0, 0, 0, 0, 99, 0, 0, 0, 0)])],
    [
      'a sequence longer than its message',
      Buffer.concat([header(27, 2013), Buffer.of(0, 0, 0, 0, 1, 99, 0, 0, 0, 97, 0)]),
    ],
    ['random bytes', Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7919) % 251))],
  ];
  for (const [name, bytes] of garbage) {
    it(`close the connection: ${name}`, async () => {
      const socket = connect(store.port, '127.0.0.1');
      socket.write(bytes);
      await closed(socket);
      await answers(store);
    });
  }

  it('never stop the store, whatever they are', async () => {
    const seed = Number(process.env.CONFORMANCE_SEED ?? Date.now() % 2 ** 31);
    console.log(`seed ${seed}`);
    let state = seed;
    const random = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (let round = 0; round < 40; round++) {
      const socket = connect(store.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      for (let i = 0; i < 20; i++) {
        const bytes = message(PING);
        for (let changes = random(4); changes >= 0; changes--) bytes[random(bytes.length)] = random(256);
        socket.write(bytes);
      }
      await new Promise<void>(resolve => {
        socket.on('close', () => resolve());
        socket.end();
      });
    }
    await answers(store);
  });

  it('are answered with an error when only the document in them is wrong', async () => {
    const socket = connect(store.port, '127.0.0.1');
    // { ping: <a type that does not exist> }, and after it a good request on the same connection.
    const body = Buffer.concat([Buffer.of(0x10, 0, 0, 0, 0x77), Buffer.from('ping\0'), Buffer.of(1, 0, 0, 0, 0)]);
    body.writeInt32LE(body.length, 0);
    socket.write(message(body));
    assert.match((await answer(socket)).toString('latin1'), /invalid BSON: type 0x77/);
    socket.write(message(PING));
    assert.match((await answer(socket)).toString('latin1'), /ok/);
    socket.destroy();
  });

  it('may come in pieces, and several requests in one', async () => {
    const socket = connect(store.port, '127.0.0.1');
    const requests = Buffer.concat([message(PING), message(PING), message(PING)]);
    for (const byte of requests.subarray(0, 60)) {
      socket.write(Buffer.of(byte));
      await new Promise(resolve => setImmediate(resolve));
    }
    socket.write(requests.subarray(60));
    let answers = Buffer.alloc(0);
    for await (const bytes of socket) {
      answers = Buffer.concat([answers, bytes as Buffer]);
      if (answers.length >= 3 * answers.readInt32LE(0)) break;
    }
    assert.equal(answers.length, 3 * answers.readInt32LE(0));
  });

  it('carry a checksum, which is passed over', async () => {
    const socket = connect(store.port, '127.0.0.1');
    const bytes = Buffer.concat([message(PING), Buffer.alloc(4)]);
    bytes.writeInt32LE(bytes.length, 0);
    bytes[16] = 1;
    socket.write(bytes);
    assert.match((await answer(socket)).toString('latin1'), /ok/);
    socket.destroy();
  });

  it('ask for no answer with moreToCome', async () => {
    const socket = connect(store.port, '127.0.0.1');
    const silent = message(PING);
    silent[16] = 2;
    silent.writeInt32LE(77, 4);
    const loud = message(PING);
    loud.writeInt32LE(78, 4);
    socket.write(Buffer.concat([silent, loud]));
    assert.equal((await answer(socket)).readInt32LE(8), 78);
    socket.destroy();
  });
});

/** Asserts that a client of the store is still served. */
async function answers(store: DocumentStore): Promise<void> {
  const client = await mongoose.mongo.MongoClient.connect(store.uri('test'));
  try {
    assert.deepEqual(await client.db().command({ ping: 1 }), { ok: 1 });
  } finally {
    await client.close();
  }
}

/** { ping: 1, $db: 'test' } */
const PING = Buffer.concat([
  Buffer.of(34, 0, 0, 0, 0x10),
  Buffer.from('ping\0'),
  Buffer.of(1, 0, 0, 0, 2),
  Buffer.from('$db\0'),
  Buffer.of(5, 0, 0, 0),
  Buffer.from('test\0'),
  Buffer.of(0),
]);
PING.writeInt32LE(PING.length, 0);

function message(body: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(21), body]);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.writeInt32LE(2013, 12);
  return bytes;
}

function answer(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once('data', bytes => resolve(bytes as Buffer));
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
}
