import { type Import, importsOf, isTest, isTestPath, type SourceFile } from './sourceFiles.ts';

/** One broken rule, as a line for the person who broke it. */
export type Violation = string;

export const services = [
  'gateway',
  'user-service',
  'product-service',
  'inventory-service',
  'order-service',
  'payment-service',
];

const areaOf = (path: string): string => path.split('/', 1)[0] ?? '';

/** Layers of a service, and what each may import beside itself, `config` and shared/. */
const below: Record<string, readonly string[]> = {
  index: ['app'],
  app: ['routes', 'schemas', 'controllers', 'services', 'sagas', 'events', 'models', 'providers', 'domain'],
  routes: ['schemas', 'controllers', 'domain'],
  controllers: ['schemas', 'services', 'sagas', 'domain'],
  schemas: ['domain'],
  services: ['sagas', 'events', 'models', 'providers', 'domain'],
  sagas: ['events', 'models', 'domain'],
  events: ['models', 'domain'],
  models: ['events', 'domain'],
  providers: ['domain'],
  domain: [],
  config: ['providers', 'domain'],
};

/** `order-service/src/services/x.ts` → `services`, `src/app.ts` → `app`, but in `src/routes/` what is no `xRoutes.ts` → `schemas`. */
export function layerOf(path: string): string | undefined {
  const [, , part] = path.split('/');
  if (part === 'routes' && !/[rR]outes\.ts$/.test(path)) return 'schemas';
  return part?.replace(/\.ts$/, '');
}

/** Rules on who may import whom, for everything but tests' freedom to use local/ and tests/. */
export function importViolations(file: SourceFile): Violation[] {
  return importsOf(file)
    .filter(({ target }) => target.endsWith('.ts'))
    .flatMap(({ target }) => violationOf(file, target) ?? [])
    .map(reason => `${file.path} ${reason}`);
}

function violationOf(from: SourceFile, to: string): string | undefined {
  const [area, other] = [areaOf(from.path), areaOf(to)];
  const measures = isTest(from) || area === 'bench';
  if (other === 'tests' && area !== 'tests' && area !== 'bench') return `imports ${to}: only tests/ and bench/ may`;
  if (isTestPath(to) && !measures && area !== 'local') return `imports ${to}: only tests and bench/ may`;
  if (other === 'local' && area !== 'local' && !measures) return `imports ${to}: only tests and bench/ may`;
  if (area === 'shared' && services.includes(other)) return `imports ${to}: shared/ knows no service`;
  if (services.includes(area) && services.includes(other) && area !== other) {
    return `imports ${to}: no service imports another`;
  }
  if (!services.includes(area) || area !== other || isTest(from)) return undefined;
  return layerViolation(layerOf(from.path), layerOf(to), to);
}

function layerViolation(from: string | undefined, to: string | undefined, path: string): string | undefined {
  const allowed = from === undefined ? undefined : below[from];
  if (!allowed) return `is in no layer of a service (${Object.keys(below).join(', ')})`;
  if (to === from || to === 'config' || (to !== undefined && allowed.includes(to))) return undefined;
  return `imports ${path}: ${from} may import ${[...allowed, 'shared/'].join(', ')}`;
}

/** Packages and modules that only compute. */
const pure = new Set(['zod', 'uuid', 'node:crypto', 'node:util', 'node:assert/strict']);

/** Rules of a service's domain/: whatever runs behind its imports, however far away, does no I/O. */
export function purityViolations(file: SourceFile, all: ReadonlyMap<string, SourceFile>): Violation[] {
  if (isTest(file) || layerOf(file.path) !== 'domain' || !services.includes(areaOf(file.path))) return [];
  const violations: Violation[] = [];
  const seen = new Set<string>([file.path]);
  const visit = (current: SourceFile, trail: string[]) => {
    for (const { target } of importsOf(current).filter((one: Import) => !one.typeOnly && !seen.has(one.target))) {
      seen.add(target);
      const next = all.get(target);
      if (next) visit(next, [...trail, target]);
      else if (!pure.has(target)) violations.push(`${[...trail, target].join(' → ')}: domain/ does no I/O`);
    }
  };
  visit(file, [file.path]);
  return violations;
}

/** Rule on length: a file is one idea. */
export function lengthViolations(file: SourceFile): Violation[] {
  const lines = file.text.split('\n').length - 1;
  return lines > 300 ? [`${file.path} has ${lines} lines, more than 300`] : [];
}

/** Rule on packages: a service runs on what its own package.json (or shared's) names, for containers install no more. */
export function dependencyViolations(
  file: SourceFile,
  declared: ReadonlyMap<string, ReadonlySet<string>>,
): Violation[] {
  const own = declared.get(areaOf(file.path));
  if (!own || isTest(file)) return [];
  return importsOf(file)
    .filter(({ target, typeOnly }) => !typeOnly && !target.endsWith('.ts') && !target.startsWith('node:'))
    .filter(({ target }) => !own.has(target))
    .map(({ target }) => `${file.path} imports ${target}, which ${areaOf(file.path)}/package.json does not name`);
}

/** Ways round the type checker, without the file's strings and comments being mistaken for them. */
export function typeEscapes(file: SourceFile): string[] {
  return file.text
    .split('\n')
    .filter(line => /biome-ignore[^:]*noExplicitAny|@ts-(ignore|nocheck|expect-error)/.test(line))
    .map(line => line.trim());
}

/** Modules that run other programs, or text as code. */
const dangerous = new Set(['node:child_process', 'node:vm', 'node:cluster', 'node:repl', 'node:inspector']);

/** Rule on what runs in the shop: no other program, and no text as code, so that nothing can be injected into either. */
export function executionViolations(file: SourceFile): Violation[] {
  const area = areaOf(file.path);
  if (isTest(file) || (area !== 'shared' && !services.includes(area))) return [];
  const imported = importsOf(file).filter(({ target }) => dangerous.has(target));
  const evaluated = /\beval\(|\bnew Function\(|[^.\w]Function\(['"`]/.exec(file.text);
  return [
    ...imported.map(({ target }) => `${file.path} imports ${target}`),
    ...(evaluated ? [`${file.path} runs text as code: ${evaluated[0]}`] : []),
  ];
}
