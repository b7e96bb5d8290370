import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A server that a client under test calls. */
export interface Callee {
  url: string;
  /** The requests that came, in order. */
  seen: IncomingMessage[];
  /** How many connections were opened. */
  connections: number;
}

/** A callee that ends with the test. */
export async function startCallee(t: TestContext, handler: RequestListener): Promise<Callee> {
  const server = createServer((request, response) => {
    request.resume();
    callee.seen.push(request);
    handler(request, response);
  });
  const callee: Callee = { url: '', seen: [], connections: 0 };
  server.on('connection', () => {
    callee.connections += 1;
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  callee.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return callee;
}
