import { notSupported, StoreError } from '../errors.ts';
import { createKeyWriter } from '../values/key.ts';
import { type Doc, isDoc, setField, type Value } from '../values/value.ts';
import { ACCUMULATORS, type Accumulator } from './accumulators.ts';
import type { Expr, Scope } from './env.ts';
import type { CompileStage } from './stage.ts';

/** Accumulators of the server that the store does not have. */
const REFUSED = new Set([
  '$accumulator',
  '$bottom',
  '$bottomN',
  '$firstN',
  '$lastN',
  '$maxN',
  '$minN',
  '$top',
  '$topN',
]);

interface Field {
  name: string;
  create: () => Accumulator;
  value: Expr;
}

/** The `$group` stage. Groups come in the order in which their first document came. */
export const group: CompileStage = (argument, { scope, frame }) => {
  if (!isDoc(argument)) throw new StoreError(15947, "a group's fields must be specified in an object");
  if (!('_id' in argument)) throw new StoreError(15955, 'a group specification must include an _id');
  const id = scope.compile(argument._id!, scope);
  const fields = Object.entries(argument)
    .filter(([name]) => name !== '_id')
    .map(([name, spec]) => compileField(name, spec, scope));
  return function* (input) {
    const groups = new Map<string, { id: Value; accumulators: Accumulator[] }>();
    const writer = createKeyWriter();
    for (const root of input) {
      const env = { root, vars: frame.vars };
      const of = id(env) ?? null;
      writer.value(of, false);
      const key = writer.take().toString('latin1');
      const known = groups.get(key) ?? { id: of, accumulators: fields.map(f => f.create()) };
      groups.set(key, known);
      for (let i = 0; i < fields.length; i++) known.accumulators[i]!.add(fields[i]!.value(env));
    }
    for (const { id: of, accumulators } of groups.values()) {
      const doc: Doc = { _id: of };
      fields.forEach((f, i) => {
        setField(doc, f.name, accumulators[i]!.result());
      });
      yield doc;
    }
  };
};

function compileField(name: string, spec: Value, scope: Scope): Field {
  if (name.includes('.')) throw new StoreError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw new StoreError(40236, `The field name '${name}' cannot be an operator name`);
  const operators = isDoc(spec) ? Object.keys(spec) : [];
  if (!isDoc(spec) || !operators[0]?.startsWith('$')) {
    throw new StoreError(40234, `The field '${name}' must be an accumulator object`);
  }
  if (operators.length > 1) throw new StoreError(40238, `The field '${name}' must specify one accumulator`);
  const operator = operators[0];
  if (operator === '$count') return { name, create: ACCUMULATORS.$sum!, value: () => 1 };
  const create = Object.hasOwn(ACCUMULATORS, operator) ? ACCUMULATORS[operator] : undefined;
  if (create) return { name, create, value: scope.compile(spec[operator]!, scope) };
  if (REFUSED.has(operator)) throw notSupported(`the accumulator ${operator}`);
  throw new StoreError(15952, `unknown group operator '${operator}'`);
}
