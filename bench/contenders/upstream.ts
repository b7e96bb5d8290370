/**
 * A service that does nothing but answer a product of 1 KB, so that only what stands in front of it is measured. At
 * /api/products/kept it has an entity tag and may be kept; at any other path it has none.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const bytes = 1_024;
const product = {
  id: 'live',
  sku: 'BENCH-1',
  name: 'Teapot',
  price: { amount: 1_999, currency: 'GBP' },
  description: '',
};
product.description = 'x'.repeat(bytes - JSON.stringify(product).length);
const body = Buffer.from(JSON.stringify(product));
const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
const kept = { ...headers, ETag: '"1"', 'Cache-Control': 'public, max-age=0, must-revalidate' };

const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
  response.writeHead(200, request.url?.endsWith('/kept') ? kept : headers).end(body);
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit());
