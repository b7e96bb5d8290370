import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../tests/real/servers.ts';
import { type Contender, compare, type LoadOptions, residentMiB, type Sample } from './measure.ts';
import { bars, type Report, table } from './report.ts';
import { startBenchShop } from './shop.ts';

const names = {
  direct: 'the service itself',
  express: 'express + http-proxy-middleware',
  keptAlive: 'the same with an agent that keeps connections',
  fastify: '@fastify/http-proxy',
  nginx: 'nginx',
  gateway: 'our gateway',
  cached: 'our gateway, from its cache',
} as const;
type Key = keyof typeof names;

const path = '/api/products/live';

/** The same answer of 1 KB through everything that could stand in front of a service. */
export async function benchGateway(options: LoadOptions): Promise<Report> {
  const closing: (() => unknown)[] = [];
  try {
    const contenders = await startAll(options, closing);
    const keys = [...contenders.keys()];
    const samples = await compare([...contenders.values()], options);
    const memory = [...contenders.values()].map(({ pids }) => residentMiB(pids[0] ?? 0));
    return reportOf(new Map(keys.map((key, index) => [key, samples[index]!])), memory, options);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function startAll({ say }: LoadOptions, closing: (() => unknown)[]): Promise<Map<Key, Contender>> {
  const all = new Map<Key, Contender>();
  const put = (
    key: Key,
    port: number,
    pids: number[],
    more: { path?: string; headers?: Record<string, string> } = {},
  ) =>
    all.set(key, {
      name: names[key],
      url: `http://127.0.0.1:${port}${more.path ?? path}`,
      pids,
      ...(more.headers ? { headers: more.headers } : {}),
    });
  const script = async (name: string, environment: Record<string, string> = {}) => {
    const child = fork(join(import.meta.dirname, 'contenders', name), { env: { ...process.env, ...environment } });
    closing.push(() => child.disconnect());
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return { port, pid: child.pid! };
  };
  const upstream = await script('upstream.ts');
  put('direct', upstream.port, [upstream.pid]);
  const address = { UPSTREAM: `http://127.0.0.1:${upstream.port}` };
  for (const [key, file, more] of [
    ['express', 'express.ts', {}],
    ['keptAlive', 'express.ts', { KEEP_ALIVE: '1' }],
    ['fastify', 'fastify.ts', {}],
  ] as const) {
    const { port, pid } = await script(file, { ...address, ...more });
    put(key, port, [pid]);
  }
  const nginx = await startNginx(upstream.port);
  if (nginx) {
    closing.push(nginx.stop);
    put('nginx', nginx.port, nginx.pids);
  } else say('nginx is not here and is left out');
  const shop = await startBenchShop({ say, productService: upstream.port });
  closing.push(shop.stop);
  const headers = { Authorization: `Bearer ${await shop.register()}` };
  const [port, pid] = [Number(new URL(shop.url).port), shop.pidOf('gateway')];
  put('gateway', port, [pid], { headers });
  put('cached', port, [pid], { headers, path: '/api/products/kept' });
  return all;
}

/** nginx with one worker, as all others have one thread that answers; undefined where it is not installed. */
async function startNginx(upstream: number) {
  if (spawnSync('nginx', ['-v']).error) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-nginx-'));
  const [port] = await freePorts(1);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder};`);
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; ${temporary.join(' ')}
  upstream service { server 127.0.0.1:${upstream}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  const child: ChildProcess = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', configuration], { stdio: 'ignore' });
  for (let tries = 0; tries < 50; tries += 1) {
    await sleep(100);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer?.ok) break;
  }
  const children = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.split('\n');
  return {
    port: port!,
    pids: children.filter(Boolean).map(Number),
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function reportOf(
  samples: Map<Key, Sample>,
  memory: (number | undefined)[],
  options: LoadOptions,
): Promise<Report> {
  const rate = (key: Key) => samples.get(key)?.requestsPerSecond ?? Number.NaN;
  const rows = [...samples].map(([key, sample], index) => [
    names[key],
    sample.requestsPerSecond.toFixed(0),
    (sample.requestsPerSecond / rate('express')).toFixed(2),
    String(sample.p50),
    String(sample.p99),
    sample.cpuSecondsPer1000?.toFixed(3) ?? '',
    memory[index]?.toFixed(0) ?? '',
    String(sample.errors),
  ]);
  const head = ['through', 'requests/s', '× express', 'p50, ms', 'p99, ms', 'CPU s per 1,000', 'memory, MiB', 'errors'];
  return {
    title: 'Gateway',
    text: `The same product of 1 KB, ${options.connections} connections, medians of ${options.rounds} interleaved rounds of ${options.seconds} s after
one to warm up. The load is made on the same machine. Our gateway runs with token check, rate limit, metrics and
logging on, and as one process, like every other.

${table(head, rows)}

![Requests per second](gateway.svg)
`,
    plots: {
      'gateway.svg': await bars({
        title: 'Product of 1 KB, requests per second',
        unit: 'requests/s',
        values: [...samples].map(([key, sample]) => ({ name: names[key], value: sample.requestsPerSecond })),
      }),
    },
    ratios: {
      gateway_vs_express: rate('gateway') / rate('express'),
      cached_read_vs_fastify: rate('cached') / rate('fastify'),
    },
  };
}
