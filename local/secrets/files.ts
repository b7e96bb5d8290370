import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '@tradepost/shared/lifecycle';
import { secretKinds } from './secrets.ts';

/**
 * The secrets that a folder holds, a file for each; those without a file, or with an empty one, are missing.
 * @throws StartError when one cannot be read
 */
export function readSecretFiles(folder: string): Map<string, string> {
  const found = secretKinds.flatMap(({ name }): [string, string][] => {
    const value = readIfThere(join(folder, name));
    return value ? [[name, value]] : [];
  });
  return new Map(found);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StartError(`${path} cannot be read (${code})`);
  }
}

/**
 * Replaces a file whole.
 * @param mode its permissions
 * @throws StartError when it cannot be written
 */
export function writeSecretFile(folder: string, name: string, value: string, mode: number): void {
  const path = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, `${value}\n`, { mode });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new StartError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
