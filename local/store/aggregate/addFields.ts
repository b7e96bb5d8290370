import { StoreError } from '../errors.ts';
import { type Doc, fieldOf, isDoc, setField, type Value } from '../values/value.ts';
import type { Env, Expr, Scope } from './env.ts';
import { checkFieldPath } from './expression.ts';

type Node = { kind: 'compute'; expr: Expr } | { kind: 'branch'; fields: Map<string, Node> };
type Branch = Extract<Node, { kind: 'branch' }>;

/** Compiles `$addFields`: computes fields, by dotted paths or nested documents, and keeps all others. */
export function compileAddFields(spec: Doc, scope: Scope): (env: Env) => Doc {
  const root: Branch = { kind: 'branch', fields: new Map() };
  for (const [path, value] of Object.entries(spec)) add(root, path, value, scope);
  return env => applied(env.root, root, env);
}

function add(root: Branch, path: string, value: Value, scope: Scope): void {
  const parts = checkFieldPath(path);
  if (isDoc(value)) {
    const names = Object.keys(value);
    if (names.length > 0 && !names.some(n => n.startsWith('$'))) {
      for (const name of names) add(root, `${path}.${name}`, value[name]!, scope);
      return;
    }
  }
  let at = root;
  for (const [i, part] of parts.entries()) {
    const known = at.fields.get(part);
    if (i === parts.length - 1) {
      if (known)
        throw new StoreError(
          40176,
          `specification contains two conflicting paths. Cannot specify both '${path}' and another one of it`,
        );
      at.fields.set(part, { kind: 'compute', expr: scope.compile(value, scope) });
      return;
    }
    if (known?.kind === 'compute') {
      throw new StoreError(
        40176,
        `specification contains two conflicting paths. Cannot specify both '${path}' and a part of it`,
      );
    }
    const next: Branch = known ?? { kind: 'branch', fields: new Map() };
    at.fields.set(part, next);
    at = next;
  }
}

function applied(doc: Doc, branch: Branch, env: Env): Doc {
  const out: Doc = { ...doc };
  for (const [name, node] of branch.fields) {
    const v = node.kind === 'compute' ? node.expr(env) : below(fieldOf(doc, name), node, env);
    if (v === undefined) delete out[name];
    else setField(out, name, v);
  }
  return out;
}

function below(v: Value | undefined, branch: Branch, env: Env): Value {
  if (Array.isArray(v)) return v.map(x => below(x, branch, env));
  return applied(isDoc(v) ? v : {}, branch, env);
}
