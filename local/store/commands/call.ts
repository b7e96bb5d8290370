import { compileExpr, scopeOf } from '../aggregate/expression.ts';
import type { Engine } from '../engine.ts';
import { CODE, StoreError } from '../errors.ts';
import type { Deadline } from '../plan/query.ts';
import type { CompileExpr } from '../query/filter.ts';
import { asInteger } from '../values/numbers.ts';
import { type Doc, isDoc, isNumeric, typeOf, type Value } from '../values/value.ts';
import type { RawDocument } from '../wire/frame.ts';

/** A command being executed. */
export interface Call {
  engine: Engine;
  db: string;
  name: string;
  args: Doc;
  sequences: ReadonlyMap<string, RawDocument[]>;
  connectionId: number;
  /** When `maxTimeMS` is over. */
  deadline: Deadline | undefined;
}

/** A command: the arguments it knows besides those every command has, and what it does. */
export interface Command {
  fields: readonly string[];
  run(call: Call): Doc | Buffer;
}

/** The collection a command names in its first field. Throws InvalidNamespace. */
export function collectionName(call: Call): string {
  const name = call.args[call.name];
  if (typeof name !== 'string') {
    throw new StoreError(
      CODE.InvalidNamespace,
      `collection name has invalid type ${name === undefined ? 'missing' : typeOf(name).name}`,
    );
  }
  checkCollectionName(call.db, name);
  return name;
}

/** Throws InvalidNamespace unless `name` can name a collection. */
export function checkCollectionName(db: string, name: string): void {
  if (name === '' || name.startsWith('.') || name.endsWith('.') || name.includes('$') || name.includes('\0')) {
    throw new StoreError(CODE.InvalidNamespace, `Invalid namespace specified '${db}.${name}'`);
  }
  if (Buffer.byteLength(`${db}.${name}`) > 255) {
    throw new StoreError(CODE.InvalidNamespace, `Fully qualified namespace is too long: ${db}.${name}`);
  }
}

/** A document argument; undefined when it is missing. */
export function docArg(call: Call, field: string): Doc | undefined {
  const v = call.args[field];
  if (v === undefined) return undefined;
  if (!isDoc(v)) throw wrongType(call, field, v, 'object');
  return v;
}

/** A document argument that must be there. */
export function requiredDoc(owner: string, field: string, v: Value | undefined): Doc {
  if (v === undefined) throw missing(`${owner}.${field}`);
  if (!isDoc(v)) {
    throw new StoreError(
      CODE.TypeMismatch,
      `BSON field '${owner}.${field}' is the wrong type '${typeOf(v).name}', expected type 'object'`,
    );
  }
  return v;
}

/** A boolean argument; numbers count as booleans, as the server takes them. */
export function boolArg(call: Call, field: string): boolean {
  const v = call.args[field];
  if (v === undefined || typeof v === 'boolean') return v ?? false;
  if (isNumeric(v)) return asInteger(v) !== 0;
  throw new StoreError(
    CODE.TypeMismatch,
    `BSON field '${call.name}.${field}' is the wrong type '${typeOf(v).name}', expected types '[bool, long, int, decimal, double']`,
  );
}

/** A non-negative integer argument; undefined when it is missing. */
export function countArg(call: Call, field: string): number | undefined {
  const v = call.args[field];
  if (v === undefined || v === null) return undefined;
  if (!isNumeric(v)) throw wrongType(call, field, v, 'number');
  const n = asInteger(v);
  if (n !== undefined && n >= 0) return n;
  throw new StoreError(
    n === undefined ? CODE.BadValue : 51024,
    `BSON field '${field}' value must be >= 0, actual value '${String(v)}'`,
  );
}

/** The documents of a write command: from its sequence, or from the array in its body. */
export function documentsArg(call: Call, field: string): (RawDocument | Doc)[] {
  const sequence = call.sequences.get(field);
  if (sequence) return sequence;
  const v = call.args[field];
  if (v === undefined) throw missing(`${call.name}.${field}`);
  if (!Array.isArray(v)) throw wrongType(call, field, v, 'array');
  return v.map((d, i) => {
    if (!isDoc(d)) throw wrongType(call, `${field}.${i}`, d, 'object');
    return d;
  });
}

/** TypeMismatch in the server's words. */
export function wrongType(call: Call, field: string, v: Value, expected: string): StoreError {
  return new StoreError(
    CODE.TypeMismatch,
    `BSON field '${call.name}.${field}' is the wrong type '${typeOf(v).name}', expected type '${expected}'`,
  );
}

/** The answer to a required field that is not there. */
export function missing(field: string): StoreError {
  return new StoreError(40414, `BSON field '${field}' is missing but a required field`);
}

/** Throws for a field that is not known. */
export function checkFields(owner: string, doc: Doc, known: readonly string[]): void {
  for (const field of Object.keys(doc)) {
    if (!known.includes(field)) {
      throw new StoreError(40415, `BSON field '${owner}.${field}' is an unknown field.`);
    }
  }
}

/** How `$expr` is compiled in a command: with the variables of its `let`. */
export function exprOf(call: Call): CompileExpr {
  const variables = docArg(call, 'let');
  if (!variables) return call.engine.expr;
  const scope = scopeOf(call.engine.clock());
  const vars: Doc = {};
  for (const [name, e] of Object.entries(variables))
    vars[name] = scope.compile(e, scope)({ root: {}, vars: {} }) ?? null;
  const inner = { ...scope, names: new Set(Object.keys(vars)) };
  return expression => compileExpr(expression, inner, vars);
}
