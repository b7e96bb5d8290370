/** Express with http-proxy-middleware as their documentation sets them up; KEEP_ALIVE=1 gives it an agent that keeps connections. */
import { Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const app = express();
const agent = process.env.KEEP_ALIVE === '1' ? { agent: new Agent({ keepAlive: true }) } : {};
app.use(createProxyMiddleware({ target: process.env.UPSTREAM as string, changeOrigin: true, ...agent }));
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit());
