import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';
import { tellTargets } from '../real/prometheus.ts';
import { compose, type Output } from './engine.ts';

/**
 * Starts Prometheus. Where the image is a build that cannot look into Consul, it is told by HTTP what Consul says, in a copy
 * of its settings in `folder`.
 * @returns what ends the telling
 */
export async function startPrometheus(folder: string, print: (text: string) => void): Promise<() => void> {
  const check = ['--entrypoint', 'promtool', 'prometheus', 'check', 'config', '/etc/prometheus/prometheus.yml'];
  const found = await compose('run', '--rm', '--no-deps', ...check).catch((error: Output) => error);
  const isBlind = /consul_sd_configs not found/.test(found.stdout + found.stderr);
  let stop = (): void => {};
  if (isBlind) {
    print('this Prometheus was built without Consul: it is told by HTTP what Consul says');
    // Behind the bridge of the container, which has to reach it.
    const targets = await tellTargets(`http://127.0.0.1:${process.env.CONSUL_PORT}`, '0.0.0.0');
    stop = targets.close;
    writeFileSync(join(folder, 'compose.yml'), JSON.stringify(copyFor(folder, targets.port)));
    process.env.COMPOSE_FILE = `docker-compose.yml:${join(folder, 'compose.yml')}`;
  }
  await compose('up', '--detach', '--no-deps', 'prometheus');
  return stop;
}

/** Copies the settings with another way to find instances, and gives the Compose file that mounts the copy. */
function copyFor(folder: string, port: number): object {
  const copy = join(folder, 'prometheus');
  cpSync(join(root, 'prometheus'), copy, { recursive: true });
  const file = join(copy, 'prometheus.yml');
  const text = readFileSync(file, 'utf8')
    .replace('consul_sd_configs', 'http_sd_configs')
    .replace('server: consul:8500', `url: http://tests:${port}/`);
  writeFileSync(file, text);
  const service = { extra_hosts: ['tests:host-gateway'], volumes: [`${copy}:/etc/prometheus:ro`] };
  return { services: { prometheus: service } };
}
