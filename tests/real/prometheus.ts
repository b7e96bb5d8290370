import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';
import { freePorts, startServer, type TestServer } from './servers.ts';

/** The program, by PROMETHEUS_BIN or the path; undefined when there is none. */
export function findPrometheus(): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, 'prometheus'));
  return [process.env.PROMETHEUS_BIN ?? '', ...places].find(path => {
    try {
      accessSync(path, constants.X_OK);
      return path !== '';
    } catch {
      return false;
    }
  });
}

export interface Prometheus extends TestServer {
  /** Whether it looks into Consul itself; some builds cannot, and are told by HTTP what Consul says. */
  readsConsul: boolean;
  /** The result of a query now: labels and value of each series. */
  query(expr: string): Promise<Sample[]>;
}

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** Seconds between two looks at a target. */
export const scrapeSeconds = 5;

/** Starts Prometheus with the shop's own settings and rules, but for addresses and the time between scrapes. */
export async function startPrometheus(
  program: string,
  options: { consulUrl: string; rabbitMetricsPort: number },
): Promise<Prometheus> {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const looked = spawnSync(
    program,
    [
      '--config.file',
      join(root, 'prometheus/prometheus.yml'),
      '--web.listen-address=127.0.0.1:0',
      '--storage.tsdb.path=/dev/null/none',
    ],
    { encoding: 'utf8', timeout: 20_000 },
  );
  const readsConsul = !looked.stderr.includes('consul_sd_configs not found');
  const targets = readsConsul ? undefined : await tellTargets(options.consulUrl);
  process.env.PROMETHEUS_BIN = program;
  const server = await startServer({
    setting: 'PROMETHEUS_BIN',
    url,
    command(folder) {
      const file = join(folder, 'prometheus.yml');
      const consul = `server: ${new URL(options.consulUrl).host}`;
      let text = readFileSync(join(root, 'prometheus', 'prometheus.yml'), 'utf8')
        .replace('scrape_interval: 15s', `scrape_interval: ${scrapeSeconds}s`)
        .replace('scrape_timeout: 10s', `scrape_timeout: ${scrapeSeconds}s`)
        .replace('evaluation_interval: 15s', `evaluation_interval: ${scrapeSeconds}s`)
        .replace('rules/*.yml', join(root, 'prometheus', 'rules', '*.yml'))
        .replace('server: consul:8500', consul)
        .replaceAll('rabbitmq:15692', `127.0.0.1:${options.rabbitMetricsPort}`)
        .replace('localhost:9090', `127.0.0.1:${port}`);
      if (targets) text = text.replace('consul_sd_configs', 'http_sd_configs').replace(consul, `url: ${targets.url}`);
      writeFileSync(file, text);
      return {
        args: [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.path=${folder}/data`],
      };
    },
    async isUp() {
      const answer = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1_000) });
      if (!answer.ok) throw new Error('not ready yet');
    },
  });
  return {
    ...server,
    readsConsul,
    async query(expr) {
      const body = new URLSearchParams({ query: expr });
      const answer = (await (await fetch(`${url}/api/v1/query`, { method: 'POST', body })).json()) as {
        status: string;
        error?: string;
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
      return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async close() {
      await server.close();
      targets?.close();
    },
  };
}

interface Registered {
  Service: { Service: string; Address: string; Port: number; Meta: Record<string, string> | null };
}

/**
 * What Consul says, with the labels that Prometheus' own look into Consul gives, for builds that have none.
 * @param host address to listen on
 */
export async function tellTargets(
  consulUrl: string,
  host = '127.0.0.1',
): Promise<{ url: string; port: number; close(): void }> {
  const ask = async <T>(path: string): Promise<T> => (await fetch(`${consulUrl}${path}`)).json() as Promise<T>;
  const server = createServer(async (_request, response) => {
    try {
      const names = Object.keys(await ask<Record<string, string[]>>('/v1/catalog/services'));
      const all = await Promise.all(names.map(name => ask<Registered[]>(`/v1/health/service/${name}`)));
      const groups = all.flat().map(({ Service: { Service, Address, Port, Meta } }) => ({
        targets: [`${Address}:${Port}`],
        labels: {
          __meta_consul_service: Service,
          __meta_consul_service_address: Address,
          __meta_consul_service_port: String(Port),
          ...Object.fromEntries(
            Object.entries(Meta ?? {}).map(([name, value]) => [`__meta_consul_service_metadata_${name}`, value]),
          ),
        },
      }));
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(groups));
    } catch {
      response.writeHead(503).end();
    }
  });
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://${host}:${port}/`, port, close: () => server.close() };
}
