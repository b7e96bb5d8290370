import { createServer, type Server, type Socket } from 'node:net';
import { createFrameReader, FrameError, type Request, readRequest } from './frame.ts';
import { frameReply } from './reply.ts';
import type { Turns } from './turns.ts';

export interface WireServer {
  port: number;
  close(): Promise<void>;
}

/** What a server answers with: `execute` for a request, `refuse` for one that cannot be read or that failed. */
export interface Answers {
  execute(request: Request, connectionId: number): Buffer;
  refuse(error: unknown): Buffer;
}

/** Stop reading from a client that does not take its answers. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;

/**
 * Listens for MongoDB clients. Requests of all connections are run in turns (see createTurns); those of one connection
 * are answered in order. Bytes that are no message close the connection. Rejects when the port cannot be had.
 */
export function listen(host: string, port: number, answers: Answers, turns: Turns): Promise<WireServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let replyId = 0;

  const server = createServer({ noDelay: true }, socket => {
    const connectionId = ++connections;
    const reader = createFrameReader();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A reset connection has nothing to be told; 'close' follows.
    socket.on('error', () => {});
    socket.on('drain', () => socket.resume());
    socket.on('data', bytes => {
      try {
        for (const frame of reader.push(bytes as Buffer)) accept(socket, frame, connectionId);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        socket.destroy();
      }
    });
  });

  function accept(socket: Socket, frame: Buffer, connectionId: number): void {
    let request: Request | undefined;
    let refusal: unknown;
    try {
      request = readRequest(frame);
    } catch (error) {
      if (error instanceof FrameError) throw error;
      refusal = error;
    }
    let answer: Buffer;
    const send = (body: Buffer) => {
      if (request?.silent || socket.destroyed) return;
      socket.write(frameReply(frame.readInt32LE(4), ++replyId & 0x7fffffff, request?.legacy ?? false, body));
      if (socket.writableLength > MAX_UNSENT_BYTES) socket.pause();
    };
    turns.submit({
      run() {
        answer = request ? answers.execute(request, connectionId) : answers.refuse(refusal);
      },
      done: () => send(answer),
      failed: error => send(answers.refuse(error)),
    });
  }

  return new Promise((resolve, reject) => {
    server.once('error', error => reject(explain(error, host, port)));
    server.listen(port, host, () => resolve({ port: portOf(server), close: () => close(server, sockets) }));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
  return Object.assign(new Error(`the document store cannot listen on ${host}:${port}: ${reason}`, { cause: error }), {
    code: error.code,
  });
}

function close(server: Server, sockets: Set<Socket>): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
