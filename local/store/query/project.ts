import type { Env, Expr, Scope } from '../aggregate/env.ts';
import { checkFieldPath, compileExpression, isOperator } from '../aggregate/expression.ts';
import { notSupported, StoreError } from '../errors.ts';
import { toNumber } from '../values/numbers.ts';
import { type Doc, fieldOf, isDoc, isNumeric, setField, type Value } from '../values/value.ts';
import type { CompileExpr } from './filter.ts';
import type { Matcher } from './match.ts';
import { type ArrayPick, elemMatchPick, positionalPick, slicePick } from './projectArrays.ts';

/** A projection as a tree: what to do with each field. */
type Node =
  | { kind: 'branch'; fields: Map<string, Node> }
  | { kind: 'include' }
  | { kind: 'exclude' }
  | { kind: 'compute'; expr: Expr }
  | { kind: 'pick'; pick: ArrayPick };

type Branch = Extract<Node, { kind: 'branch' }>;

/** What a find's projection may use besides a `$project` stage's. */
export interface FindProjection {
  matches: Matcher | undefined;
  expr: CompileExpr;
}

interface Parsed {
  root: Branch;
  /** True once a field is included, false once one is excluded. */
  including: boolean | undefined;
  /** Of `_id` when it is named. */
  id: boolean | undefined;
}

interface Context {
  scope: Scope;
  find: FindProjection | undefined;
  parsed: Parsed;
}

/** Makes a document of an environment; its root is the document projected. */
export type Projection = (env: Env) => Doc;

/** Compiles a projection; undefined for an empty one. With `find`, `$slice`, `$elemMatch` and `.$` are understood. */
export function compileProjection(spec: Doc, scope: Scope, find?: FindProjection): Projection | undefined {
  if (Object.keys(spec).length === 0) return undefined;
  const parsed: Parsed = { root: { kind: 'branch', fields: new Map() }, including: undefined, id: undefined };
  const context = { scope, find, parsed };
  for (const [path, value] of Object.entries(spec)) addField(path, value, context);
  if (parsed.including === undefined && parsed.id === true) parsed.including = true;
  const { root } = parsed;
  if (parsed.including === true) {
    if (parsed.id !== false && !root.fields.has('_id')) {
      root.fields = new Map([['_id', { kind: 'include' }], ...root.fields]);
    }
    return env => included(env.root, root, env);
  }
  if (parsed.id === false) root.fields.set('_id', { kind: 'exclude' });
  return env => excluded(env.root, root, env);
}

function addField(path: string, value: Value, context: Context): void {
  if (context.find && path.endsWith('.$')) {
    const pick = positionalPick(value, context.find.matches);
    include(path, context);
    put(context.parsed.root, path.slice(0, -2), { kind: 'pick', pick });
    return;
  }
  checkFieldPath(path);
  if (isDoc(value)) addDocument(path, value, context);
  else if (typeof value === 'boolean' || isNumeric(value)) addFlag(path, value, context);
  else addComputed(path, compileExpression(value, context.scope), context);
}

function addFlag(path: string, value: Parameters<typeof toNumber>[0] | boolean, context: Context): void {
  const { parsed } = context;
  const wanted = typeof value === 'boolean' ? value : toNumber(value) !== 0;
  if (path === '_id') {
    parsed.id = wanted;
    if (wanted) put(parsed.root, '_id', { kind: 'include' });
    return;
  }
  if (wanted) include(path, context);
  else exclude(path, context);
  put(parsed.root, path, { kind: wanted ? 'include' : 'exclude' });
}

function include(path: string, { parsed }: Context): void {
  if (parsed.including === false) {
    throw new StoreError(31253, `Cannot do inclusion on field ${path} in exclusion projection`);
  }
  parsed.including = true;
}

function exclude(path: string, { parsed }: Context): void {
  if (parsed.including === true) {
    throw new StoreError(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
  }
  parsed.including = false;
}

function addDocument(path: string, value: Doc, context: Context): void {
  const names = Object.keys(value);
  if (names.length === 0) {
    throw new StoreError(51270, 'An empty sub-projection is not a valid value. Found empty object at path');
  }
  const operator = names[0]!;
  if (!operator.startsWith('$')) {
    for (const name of names) addField(`${path}.${name}`, value[name]!, context);
    return;
  }
  const { find, parsed, scope } = context;
  if (operator === '$meta') throw notSupported('the projection operator $meta');
  if (find && operator === '$elemMatch') {
    include(path, context);
    put(parsed.root, path, { kind: 'pick', pick: elemMatchPick(value.$elemMatch!, find.expr) });
    return;
  }
  const slice = find && operator === '$slice' ? slicePick(value.$slice!) : undefined;
  if (slice) put(parsed.root, path, { kind: 'pick', pick: slice });
  else addComputed(path, compileOperator(operator, value, scope), context);
}

/** The server has its own words for an unknown operator here. */
function compileOperator(operator: string, value: Doc, scope: Scope): Expr {
  if (Object.keys(value).length > 1) {
    throw new StoreError(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.");
  }
  if (!isOperator(operator)) throw new StoreError(31325, `Unknown expression ${operator}`);
  return compileExpression(value, scope);
}

function addComputed(path: string, expr: Expr, context: Context): void {
  include(path, context);
  put(context.parsed.root, path, { kind: 'compute', expr });
  if (path === '_id') context.parsed.id = true;
}

function put(root: Branch, path: string, node: Node): void {
  const parts = path.split('.');
  let at = root;
  for (const [i, part] of parts.entries()) {
    const known = at.fields.get(part);
    if (i === parts.length - 1) {
      if (known) throw new StoreError(31250, `Path collision at ${path}`);
      at.fields.set(part, node);
      return;
    }
    if (known && known.kind !== 'branch') {
      throw new StoreError(31249, `Path collision at ${path} remaining portion ${parts.slice(i + 1).join('.')}`);
    }
    const next: Branch = known ?? { kind: 'branch', fields: new Map() };
    at.fields.set(part, next);
    at = next;
  }
}

function included(doc: Doc, branch: Branch, env: Env): Doc {
  const out: Doc = {};
  for (const name of Object.keys(doc)) {
    const node = branch.fields.get(name);
    if (!node || node.kind === 'compute') continue;
    const v = includedValue(doc[name]!, node, env);
    if (v !== undefined) setField(out, name, v);
  }
  addComputedFields(out, branch, env);
  return out;
}

function includedValue(v: Value, node: Node, env: Env): Value | undefined {
  if (node.kind === 'include') return v;
  if (node.kind === 'pick') return node.pick(v, env.root);
  if (node.kind !== 'branch') return undefined;
  if (isDoc(v)) return included(v, node, env);
  if (!Array.isArray(v)) return hasComputed(node) ? included({}, node, env) : undefined;
  const kept = v.map(x =>
    isDoc(x) || Array.isArray(x) || hasComputed(node) ? includedValue(x, node, env) : undefined,
  );
  return kept.filter(x => x !== undefined);
}

function hasComputed(branch: Branch): boolean {
  return [...branch.fields.values()].some(n => n.kind === 'compute' || (n.kind === 'branch' && hasComputed(n)));
}

/** Computed fields come after the kept ones, in the order of the projection. */
function addComputedFields(out: Doc, branch: Branch, env: Env): void {
  for (const [name, node] of branch.fields) {
    if (node.kind === 'compute') {
      const v = node.expr(env);
      if (v !== undefined) setField(out, name, v);
    } else if (node.kind === 'branch' && fieldOf(out, name) === undefined && hasComputed(node)) {
      setField(out, name, included({}, node, env));
    }
  }
}

function excluded(doc: Doc, branch: Branch, env: Env): Doc {
  const out: Doc = {};
  for (const name of Object.keys(doc)) {
    const node = branch.fields.get(name);
    const v = node ? excludedValue(doc[name]!, node, env) : doc[name]!;
    if (v !== undefined) setField(out, name, v);
  }
  return out;
}

function excludedValue(v: Value, node: Node, env: Env): Value | undefined {
  if (node.kind === 'exclude') return undefined;
  if (node.kind === 'pick') return node.pick(v, env.root);
  if (node.kind !== 'branch') return v;
  if (isDoc(v)) return excluded(v, node, env);
  return Array.isArray(v) ? v.map(x => excludedValue(x, node, env)!) : v;
}
