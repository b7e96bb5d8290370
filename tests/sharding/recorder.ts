import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createFrameReader, readRequest } from '@tradepost/local/store/wire/frame';
import { type Operation, operationsOf } from './operations.ts';

/**
 * Stands between services and their database server, and writes down what they ask of it, as it goes over the wire.
 * @param uri the server's
 * @param heard takes every query and write
 */
export async function startRecorder(
  uri: string,
  heard: (operation: Operation) => void,
): Promise<{ uri: string; close(): Promise<void> }> {
  const { hostname: host, port } = new URL(uri);
  const sockets = new Set<Socket>();
  const proxy = createServer(client => {
    const server = connect({ host, port: Number(port) });
    const reader = createFrameReader();
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', bytes => {
      for (const frame of reader.push(bytes as Buffer)) operationsOf(readRequest(frame)).forEach(heard);
    });
    client.pipe(server);
    server.pipe(client);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    uri: `mongodb://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(proxy.close(), 'close');
    },
  };
}
