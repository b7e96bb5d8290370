import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';
import type { Edit } from './mutant.ts';

const left = new Set(['node_modules', '.git', '.data']);

/**
 * Copies the project as it is on the disk, without what other packages it needs: they are linked.
 * @returns the folder, which the caller removes
 */
export function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'tradepost-copy-'));
  cpSync(root, copy, { recursive: true, filter: from => !left.has(basename(from)) });
  const packages = join(root, 'node_modules');
  mkdirSync(join(copy, 'node_modules'));
  for (const name of readdirSync(packages)) {
    const [from, to] = [join(packages, name), join(copy, 'node_modules', name)];
    // The workspaces' links are relative, and so lead into the copy.
    if (name === '@tradepost') cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  }
  return copy;
}

/** Whether the text that an edit replaces is once in the project at `copy`. */
export function fits(copy: string, { file, find }: Edit): boolean {
  return readFileSync(join(copy, file), 'utf8').split(find).length === 2;
}

/**
 * Plants an edit in a copy.
 * @returns takes it out again
 * @throws Error when its text is not there once
 */
export function plant(copy: string, edit: Edit): () => void {
  const { file, find, replace } = edit;
  if (!fits(copy, edit)) throw new Error(`This text is not once in ${file}:\n${find}`);
  const path = join(copy, file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    original.replace(find, () => replace),
  );
  return () => writeFileSync(path, original);
}
