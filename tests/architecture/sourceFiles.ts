import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';

/** Root of the repository. */
export const root = join(import.meta.dirname, '..', '..');

export interface SourceFile {
  /** Path from the root, with slashes. */
  path: string;
  text: string;
}

/** Every TypeScript file of the repository. */
export function sourceFiles(): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter(path => !path.split('/').some(part => part === 'node_modules' || part.startsWith('.')))
    .sort()
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export interface Import {
  /** Path from the root for the repository's own files, otherwise the name of the package or `node:` module. */
  target: string;
  /** Erased before anything runs. */
  typeOnly: boolean;
}

const statement = /^\s*(?:import|export)\s+(type\s)?[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm;
const sideEffect = /^\s*import\s*['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** What a file imports or exports again, in whichever way. */
export function importsOf(file: SourceFile): Import[] {
  const found = (specifier: string | undefined, typeOnly: boolean): Import => ({
    target: resolve(file.path, specifier ?? ''),
    typeOnly,
  });
  return [
    ...[...file.text.matchAll(statement)].map(match => found(match[2], match[1] !== undefined)),
    ...[...file.text.matchAll(sideEffect), ...file.text.matchAll(dynamic)].map(match => found(match[1], false)),
  ];
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  const own = /^@tradepost\/([^/]+)\/(.+)$/.exec(specifier);
  if (own) return `${own[1]}/${own[2]}.ts`;
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Whether the file serves tests only: a test, a suite that tests call, or a helper (`testing.ts`, `x.testing.ts`, `testing/`). */
export const isTest = (file: SourceFile): boolean =>
  isTestPath(file.path) || importsOf(file).some(one => one.target === 'node:test');

/** The same as far as the name says it. */
export const isTestPath = (path: string): boolean => /^tests\/|\.test\.ts$|[./]testing(\.ts$|\/)/.test(path);
