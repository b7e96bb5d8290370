import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createFrameReader, readRequest } from '@tradepost/local/store/wire/frame';
import { encode, frameReply } from '@tradepost/local/store/wire/reply';

/** A command as it came, with the database that it is for. */
export interface Command {
  [field: string]: unknown;
  $db: string;
}

/** Answers a command as a server does: with `ok`, or with `code` and `errmsg`. */
export type Answer = (name: string, command: Command) => Promise<Record<string, unknown>>;

const greeting = {
  isWritablePrimary: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  // MongoDB 6.0.
  maxWireVersion: 17,
};

/**
 * A stand-in for a mongos: greets the unmodified driver as one and leaves the answers to others.
 * @param self what it says of itself; a mongos says `msg: 'isdbgrid'`
 */
export async function startRouter(
  answer: Answer,
  self: Record<string, unknown> = { msg: 'isdbgrid' },
): Promise<{ uri: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const respond = async (frame: Buffer): Promise<Buffer> => {
    const { legacy, db, command } = readRequest(frame);
    const name = Object.keys(command)[0] ?? '';
    const isGreeting = /^(hello|ismaster)$/i.test(name);
    const reply = isGreeting ? { ...greeting, ...self, ok: 1 } : await answer(name, { ...command, $db: db });
    return frameReply(frame.readInt32LE(4), 1, legacy, encode(reply));
  };
  const server = createServer(socket => {
    const reader = createFrameReader();
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', async bytes => {
      for (const frame of reader.push(bytes as Buffer)) socket.write(await respond(frame));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    uri: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

/** An answer with the documents of a query, all of them. */
export const documents = (namespace: string, firstBatch: unknown[]): Record<string, unknown> => ({
  cursor: { id: 0n, ns: namespace, firstBatch },
  ok: 1,
});
