import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP proxy in front of a server that a test can make fail. */
export interface FaultyLink {
  port: number;
  /** Ends all connections and refuses new ones until `mend`. */
  cut(): void;
  /** Passes what the server sends on only after so many milliseconds, until `mend`. */
  delay(ms: number): void;
  /** Passes what the server sends on byte by byte, one in so many milliseconds, until `mend`. */
  drip(ms: number): void;
  /** Takes connections and passes nothing that the server sends on, until `mend`: then all of it comes. */
  hang(): void;
  mend(): void;
  /** Passes nothing on any more over the connections of this moment, which stay open. */
  freeze(): void;
  /** Of the connections that answer next, so many are reset instead: the server has done its work, and nobody hears of it. */
  loseAnswers(count: number): void;
  /** How many are still to be lost. */
  answersToLose(): number;
  /** How many pieces of what the server sent came late by `delay`, `drip` or `hang`. */
  piecesHeld(): number;
  /** Sends bytes to all clients as if they came from the server. */
  inject(bytes: Buffer): void;
  close(): Promise<void>;
}

/** How what the server sends is passed on; `mended` aborts when that is over. */
interface Pace {
  mended: AbortController;
  /** Milliseconds before each piece; for ever where it hangs. */
  waitMs: number;
  /** Whether a piece is a byte. */
  isByByte: boolean;
}

/** Longer than any test. */
const forEver = 2 ** 31 - 1;

export async function startFaultyLink(target: { host: string; port: number }): Promise<FaultyLink> {
  const pairs = new Set<{ client: Socket; server: Socket; answers: Transform }>();
  let refusing = false;
  let toLose = 0;
  let held = 0;
  let pace: Pace | undefined;

  /** Passes a piece on as it is to be now; once mended, what is left of it at once. */
  async function pass(chunk: Buffer, push: (bytes: Buffer) => void): Promise<void> {
    let left = chunk;
    while (pace && left.length > 0) {
      const { waitMs, isByByte, mended } = pace;
      held += 1;
      await sleep(waitMs, undefined, { signal: mended.signal }).catch(() => {});
      if (mended.signal.aborted) continue;
      const size = isByByte ? 1 : left.length;
      push(left.subarray(0, size));
      left = left.subarray(size);
    }
    if (left.length > 0) push(left);
  }

  const proxy = createServer(client => {
    if (refusing) return client.destroy();
    const answers = new Transform({
      transform(chunk, _encoding, done) {
        pass(chunk, bytes => this.push(bytes)).then(() => done(), done);
      },
    });
    const pair = { client, server: connect(target), answers };
    pairs.add(pair);
    const end = () => {
      client.destroy();
      pair.server.destroy();
      answers.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, pair.server]) socket.setNoDelay(true).on('error', end).on('close', end);
    client.pipe(pair.server);
    pair.server.on('data', () => {
      if (toLose === 0 || client.destroyed) return;
      toLose -= 1;
      client.resetAndDestroy();
    });
    pair.server.pipe(answers).pipe(client);
    return undefined;
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const endAll = () => {
    for (const { client } of pairs) client.destroy();
  };
  const slow = (waitMs: number, isByByte = false) => {
    pace?.mended.abort();
    pace = { waitMs, isByByte, mended: new AbortController() };
  };
  const mend = () => {
    refusing = false;
    const { mended } = pace ?? {};
    pace = undefined;
    mended?.abort();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    cut() {
      refusing = true;
      endAll();
    },
    delay: ms => slow(ms),
    drip: ms => slow(ms, true),
    hang: () => slow(forEver),
    mend,
    freeze() {
      for (const { client, server, answers } of pairs) {
        client.unpipe(server).pause();
        server.unpipe(answers).pause();
      }
    },
    loseAnswers(count) {
      toLose += count;
    },
    answersToLose: () => toLose,
    piecesHeld: () => held,
    inject(bytes) {
      for (const { client } of pairs) client.write(bytes);
    },
    close() {
      mend();
      endAll();
      return new Promise(resolve => proxy.close(() => resolve()));
    },
  };
}
