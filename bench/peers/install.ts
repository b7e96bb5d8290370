import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/**
 * Packages newer than this are not looked at, so that a later install brings the same ones without a lock file of a
 * thousand entries kept here.
 */
const newest = '2026-11-30';

const limitMs = 20 * 60_000;
const sayEveryMs = 30_000;

/** Where packages are kept between runs: PEERS_FOLDER, or a folder of this user's among the temporary ones. */
function keptFolder(): string {
  const folder = process.env.PEERS_FOLDER || join(tmpdir(), `tradepost-peers-${process.getuid?.() ?? 'shop'}`);
  mkdirSync(folder, { recursive: true });
  // What lies there is run: in the folder of all users, another's could be found under this name.
  const owner = statSync(folder).uid;
  if (process.getuid && owner !== process.getuid()) throw new Error(`${folder} belongs to another user`);
  return folder;
}

/**
 * Installs packages of fixed versions with npm, once; scripts of packages are not run.
 * @returns the folder that holds `node_modules`
 * @throws Error with what npm said last
 */
export async function install(
  name: string,
  dependencies: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Promise<string> {
  const kept = keptFolder();
  const key = createHash('sha256')
    .update(JSON.stringify([dependencies, newest]))
    .digest('hex')
    .slice(0, 8);
  const folder = join(kept, `${name}-${Object.values(dependencies)[0]}-${key}`);
  if (existsSync(folder)) return folder;
  const began = performance.now();
  const seconds = () => `${Math.round((performance.now() - began) / 1_000)} s`;
  say(`installing ${name} with npm into ${folder}: half a minute to some minutes`);
  // Made aside and then named, so that a broken install is never taken for a whole one.
  const part = mkdtempSync(`${folder}.part-`);
  const remove = removeAtEnd(part);
  const progress = setInterval(() => say(`still installing ${name}, ${seconds()}`), sayEveryMs);
  try {
    writeFileSync(join(part, 'package.json'), JSON.stringify({ name: `peer-${name}`, private: true, dependencies }));
    await npm(part, ['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', `--before=${newest}`]);
    takeName(part, folder);
  } finally {
    clearInterval(progress);
    remove();
  }
  say(`installed ${name} in ${seconds()}`);
  return folder;
}

/**
 * Sees to it that a folder does not outlive this process, though it be interrupted.
 * @returns removes it now
 */
export function removeAtEnd(folder: string): () => void {
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
}

async function npm(cwd: string, args: string[]): Promise<void> {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
  // The npm that runs the benchmark tells its children of the project that it runs in.
  const { npm_config_local_prefix: _, ...env } = process.env;
  try {
    await run(command, [...first, ...args], { cwd, env, timeout: limitMs, maxBuffer: 64 * 2 ** 20 });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const lines = (stderr || message).split('\n').filter(line => line && !line.startsWith('npm warn'));
    throw new Error(`npm install failed: ${lines.slice(0, 5).join(' ')}`);
  }
}

/** Another run may have been the first; then its folder serves. */
function takeName(part: string, folder: string): void {
  try {
    // The database's server may run as another user, who reads its programs here.
    chmodSync(part, 0o755);
    renameSync(part, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
