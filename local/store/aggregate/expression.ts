import { CODE, failedToParse, notSupported, StoreError } from '../errors.ts';
import { type Doc, fieldOf, isDoc, setField, type Value } from '../values/value.ts';
import { type Expr, isTrue, pathValue, type Scope } from './env.ts';
import { OPERATORS } from './operators.ts';

/** Operators of the server that this store refuses by name; others are unknown to the server too. */
const REFUSED = new Set(['$function', '$accumulator', '$meta', '$rand', '$sampleRate', '$toDecimal']);

/** The scope of a statement: `$$NOW` and the variables of its `let`. */
export function scopeOf(now: Date, names: Iterable<string> = []): Scope {
  return { now, names: new Set(names), compile: compileExpression };
}

/** Compiles an aggregation expression. Throws InvalidPipelineOperator for operators that do not exist. */
export function compileExpression(expression: Value, scope: Scope): Expr {
  if (typeof expression === 'string' && expression.startsWith('$')) return compilePath(expression, scope);
  if (Array.isArray(expression)) return compileArray(expression, scope);
  if (!isDoc(expression)) return () => expression;
  const names = Object.keys(expression);
  const operator = names.find(n => n.startsWith('$'));
  if (operator === undefined) return compileObject(expression, scope);
  if (names.length > 1) {
    throw new StoreError(
      15983,
      `An object representing an expression must have exactly one field: ${JSON.stringify(names)}`,
    );
  }
  return compileOperator(operator, expression[operator]!, scope);
}

/** Whether the server has an expression operator of this name. */
export function isOperator(name: string): boolean {
  return Object.hasOwn(OPERATORS, name) || REFUSED.has(name);
}

function compileOperator(name: string, argument: Value, scope: Scope): Expr {
  const compile = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (compile) return compile(argument, scope, name);
  if (REFUSED.has(name)) throw notSupported(`the expression operator ${name}`);
  throw new StoreError(CODE.InvalidPipelineOperator, `Unrecognized expression '${name}'`);
}

function compileArray(items: Value[], scope: Scope): Expr {
  const exprs = items.map(item => compileExpression(item, scope));
  return env => exprs.map(e => e(env) ?? null);
}

function compileObject(fields: Doc, scope: Scope): Expr {
  const exprs = Object.entries(fields).map(([name, e]) => [name, compileExpression(e, scope)] as const);
  return env => {
    const doc: Doc = {};
    for (const [name, e] of exprs) {
      const v = e(env);
      if (v !== undefined) setField(doc, name, v);
    }
    return doc;
  };
}

/** A field path `$a.b`, or a variable `$$name` with a path into it. */
function compilePath(expression: string, scope: Scope): Expr {
  if (expression === '$') throw new StoreError(16872, "'$' by itself is not a valid FieldPath");
  if (expression === '$$') throw failedToParse('empty variable names are not allowed');
  if (!expression.startsWith('$$')) {
    const parts = checkFieldPath(expression.slice(1));
    if (parts.length > 1) return env => pathValue(env.root, parts, 0);
    const name = parts[0]!;
    return env => fieldOf(env.root, name);
  }
  const [name, ...parts] = expression.slice(2).split('.') as [string, ...string[]];
  const variable = compileVariable(name, scope);
  return parts.length === 0 ? variable : env => pathValue(variable(env), parts, 0);
}

function compileVariable(name: string, scope: Scope): Expr {
  if (scope.names.has(name)) return env => env.vars[name];
  if (name === 'ROOT' || name === 'CURRENT') return env => env.root;
  if (name === 'REMOVE') return () => undefined;
  if (name === 'NOW') return () => scope.now;
  throw new StoreError(17276, `Use of undefined variable: ${name}`);
}

/** Splits a field path. Throws what the server answers to an empty or dollar-prefixed component. */
export function checkFieldPath(path: string): string[] {
  if (path === '') throw new StoreError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw new StoreError(40353, "FieldPath must not end with a '.'.");
  const parts = path.split('.');
  for (const part of parts) {
    if (part === '') throw new StoreError(15998, 'FieldPath field names may not be empty strings.');
    if (part.startsWith('$')) {
      throw new StoreError(
        16410,
        "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
      );
    }
  }
  return parts;
}

/** The test of a filter's `$expr`. */
export function compileExpr(expression: Value, scope: Scope, vars: Doc = {}): (doc: Doc) => boolean {
  const compiled = compileExpression(expression, scope);
  return root => isTrue(compiled({ root, vars }));
}
