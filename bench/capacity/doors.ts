import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that counts what passes. */
export interface Door {
  port: number;
  /** Bytes so far, towards what is behind it and back. */
  bytes(): { in: number; out: number };
  close(): Promise<void>;
}

/** Opens a door to a port of this machine. */
export async function openDoor(target: number): Promise<Door> {
  const bytes = { in: 0, out: 0 };
  const sockets = new Set<Socket>();
  const door = createServer(client => {
    const server = connect({ host: '127.0.0.1', port: target });
    const end = () => {
      for (const socket of [client, server]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', end).on('close', end);
    }
    client.on('data', chunk => {
      bytes.in += chunk.length;
    });
    server.on('data', chunk => {
      bytes.out += chunk.length;
    });
    client.pipe(server).pipe(client);
  });
  await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve));
  return {
    port: (door.address() as AddressInfo).port,
    bytes: () => ({ ...bytes }),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => door.close(() => resolve()));
    },
  };
}
