import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { root } from '../architecture/sourceFiles.ts';

/** A folder that is gone when the tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface ChildShop {
  process: ChildProcess;
  /** What it wrote so far. */
  output: { stdout: string; stderr: string };
  /** Address of the gateway, once it is ready. @throws what it wrote instead */
  ready(): Promise<string>;
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
}

/** `npm start` in a process of its own, on free ports unless GATEWAY_PORT says otherwise. */
export function startChildShop(environment: Record<string, string>, args: string[] = []): ChildShop {
  const child = spawn(process.execPath, [join(root, 'local', 'start.ts'), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, GATEWAY_PORT: '0', ...environment },
  });
  after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  const url = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', chunk => {
      output.stdout += chunk;
      const [, found] = /^ {2}gateway +(\S+)/m.exec(output.stdout) ?? [];
      if (found && output.stdout.includes('Ctrl-C')) resolve(found);
    });
    child.stderr.on('data', chunk => {
      output.stderr += chunk;
    });
    child.once('exit', () => reject(new Error(`the shop ended: ${output.stdout}${output.stderr}`)));
  });
  // Whoever does not wait for it looks at the exit instead.
  url.catch(() => {});
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return { process: child, output, ready: () => url, ended };
}
