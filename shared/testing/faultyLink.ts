import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of a server that a test can make fail. */
export interface FaultyLink {
  port: number;
  /** Ends all connections and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Passes nothing on any more over the connections of this moment, which stay open. */
  freeze(): void;
  /** Of the connections that answer next, so many are reset instead: the server has done its work, and nobody hears of it. */
  loseAnswers(count: number): void;
  /** How many are still to be lost. */
  answersToLose(): number;
  /** Sends bytes to all clients as if they came from the server. */
  inject(bytes: Buffer): void;
  close(): Promise<void>;
}

export async function startFaultyLink(target: { host: string; port: number }): Promise<FaultyLink> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let refusing = false;
  let toLose = 0;
  const proxy = createServer(client => {
    if (refusing) return client.destroy();
    const pair = { client, server: connect(target) };
    pairs.add(pair);
    const end = () => {
      client.destroy();
      pair.server.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, pair.server]) socket.setNoDelay(true).on('error', end).on('close', end);
    client.pipe(pair.server);
    pair.server.on('data', () => {
      if (toLose === 0 || client.destroyed) return;
      toLose -= 1;
      client.resetAndDestroy();
    });
    pair.server.pipe(client);
    return undefined;
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const endAll = () => {
    for (const { client } of pairs) client.destroy();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    cut() {
      refusing = true;
      endAll();
    },
    mend() {
      refusing = false;
    },
    freeze() {
      for (const { client, server } of pairs) {
        client.unpipe(server).pause();
        server.unpipe(client).pause();
      }
    },
    loseAnswers(count) {
      toLose += count;
    },
    answersToLose: () => toLose,
    inject(bytes) {
      for (const { client } of pairs) client.write(bytes);
    },
    close() {
      endAll();
      return new Promise(resolve => proxy.close(() => resolve()));
    },
  };
}
