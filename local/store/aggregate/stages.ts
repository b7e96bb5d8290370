import { notSupported, StoreError } from '../errors.ts';
import { type Filter, parseFilter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import { compileProjection } from '../query/project.ts';
import { parseSort, sortKey, sortRows } from '../query/sort.ts';
import { scanCollection } from '../storage/scan.ts';
import { createKeyWriter } from '../values/key.ts';
import { asInteger } from '../values/numbers.ts';
import { readDocument } from '../values/read.ts';
import { show } from '../values/show.ts';
import { type Doc, isDoc, isNumeric, typeOf, type Value } from '../values/value.ts';
import { compileAddFields } from './addFields.ts';
import { isTrue } from './env.ts';
import { checkFieldPath } from './expression.ts';
import { group } from './group.ts';
import { lookup } from './lookup.ts';
import {
  type CompilePipeline,
  type CompileStage,
  type Stage,
  type StageContext,
  within,
  wrongArgument,
} from './stage.ts';
import { unwind } from './unwind.ts';

function mapped(map: (doc: Doc) => Doc): Stage {
  return function* (input) {
    for (const doc of input) yield map(doc);
  };
}

/** Parses the filter of a `$match`, whose `$expr` may use the pipeline's variables. */
export function parseMatch(filter: Value, { scope, frame }: StageContext): Filter {
  if (!isDoc(filter)) throw new StoreError(15959, 'the match filter must be an expression in an object');
  return parseFilter(filter, expression => {
    const compiled = scope.compile(expression, scope);
    return root => isTrue(compiled({ root, vars: frame.vars }));
  });
}

const match: CompileStage = (argument, context) => {
  const matches = compileFilter(parseMatch(argument, context));
  return function* (input) {
    for (const doc of input) if (matches(doc)) yield doc;
  };
};

const project: CompileStage = (argument, { scope, frame }, name) => {
  if (!isDoc(argument)) throw new StoreError(15969, '$project specification must be an object');
  if (Object.keys(argument).length === 0) {
    throw new StoreError(
      51272,
      'Invalid $project :: caused by :: projection specification must have at least one field',
    );
  }
  const projection = within(name, () => compileProjection(argument, scope)!);
  return mapped(root => projection({ root, vars: frame.vars }));
};

const addFields: CompileStage = (argument, { scope, frame }, name) => {
  if (!isDoc(argument))
    throw new StoreError(40272, `${name} specification stage must be an object, got ${typeOf(argument).name}`);
  if (Object.keys(argument).length === 0) return input => input;
  const add = within('$addFields', () => compileAddFields(argument, scope));
  return mapped(root => add({ root, vars: frame.vars }));
};

const unset: CompileStage = (argument, { scope, frame }) => {
  const paths = Array.isArray(argument) ? argument : [argument];
  if (paths.length === 0)
    throw new StoreError(31119, '$unset specification must be a string or an array with at least one field');
  const spec: Doc = {};
  for (const path of paths) {
    if (typeof path !== 'string') {
      throw new StoreError(
        Array.isArray(argument) ? 31120 : 31002,
        '$unset specification must be a string or an array containing only string values',
      );
    }
    spec[path] = 0;
  }
  const projection = within('$unset', () => compileProjection(spec, scope)!);
  return mapped(root => projection({ root, vars: frame.vars }));
};

function replace(newRoot: Value, what: string, { scope, frame }: StageContext): Stage {
  const expr = scope.compile(newRoot, scope);
  return mapped(root => {
    const v = expr({ root, vars: frame.vars });
    if (isDoc(v)) return v;
    throw new StoreError(
      40228,
      `'${what}' expression must evaluate to an object, but resulting value was: ${v === undefined ? 'MISSING' : show(v)}. Type of resulting value: '${v === undefined ? 'missing' : typeOf(v).name}'. Input document: ${show(root)}`,
    );
  });
}

const replaceRoot: CompileStage = (argument, context) => {
  if (!isDoc(argument)) throw wrongArgument(40229, '$replaceRoot', 'an object', argument);
  const unknown = Object.keys(argument).find(k => k !== 'newRoot');
  if (unknown !== undefined) throw new StoreError(40415, `BSON field '$replaceRoot.${unknown}' is an unknown field.`);
  if (argument.newRoot === undefined)
    throw new StoreError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
  return replace(argument.newRoot, 'newRoot', context);
};

const sort: CompileStage = argument => {
  if (!isDoc(argument)) throw new StoreError(15973, 'the $sort key specification must be an object');
  if (Object.keys(argument).length === 0) throw new StoreError(15976, '$sort stage must have at least one sort key');
  const fields = parseSort(argument);
  return function* (input) {
    const writer = createKeyWriter();
    yield* sortRows(input, doc => sortKey(doc, fields, writer), undefined);
  };
};

/** The number of `$limit` or `$skip`. */
export function countOf(argument: Value, name: '$limit' | '$skip'): number {
  const n = isNumeric(argument) ? asInteger(argument) : undefined;
  if (n === undefined || n < 0) {
    const code = name === '$limit' ? 5107201 : 5107200;
    throw new StoreError(
      code,
      `invalid argument to ${name} stage: Expected a non-negative number in: ${name}: ${show(argument)}`,
    );
  }
  if (name === '$limit' && n === 0) throw new StoreError(15958, 'the limit must be positive');
  return n;
}

const limit: CompileStage = argument => {
  const n = countOf(argument, '$limit');
  return function* (input) {
    let taken = 0;
    for (const doc of input) {
      yield doc;
      if (++taken === n) return;
    }
  };
};

const skip: CompileStage = argument => {
  const n = countOf(argument, '$skip');
  return function* (input) {
    let passed = 0;
    for (const doc of input) if (++passed > n) yield doc;
  };
};

const count: CompileStage = argument => {
  if (typeof argument !== 'string' || argument === '')
    throw new StoreError(40156, 'the count field must be a non-empty string');
  if (argument.startsWith('$')) throw new StoreError(40158, 'the count field cannot be a $-prefixed path');
  if (argument.includes('.')) throw new StoreError(40160, "the count field cannot contain '.'");
  return function* (input) {
    let n = 0;
    for (const _ of input) n++;
    if (n > 0) yield { [argument]: n };
  };
};

const sortByCount: CompileStage = (argument, context) => {
  const grouped = group({ _id: argument, count: { $sum: 1 } }, context, '$group');
  const sorted = sort({ count: -1 }, context, '$sort');
  return input => sorted(grouped(input));
};

function facet(compilePipeline: CompilePipeline): CompileStage {
  return (argument, context) => {
    if (!isDoc(argument) || Object.keys(argument).length === 0) {
      throw new StoreError(40169, 'the $facet specification must be a non-empty object');
    }
    const facets = Object.entries(argument).map(([name, stages]) => {
      checkFieldPath(name);
      return [name, compilePipeline(stages, context)] as const;
    });
    return function* (input) {
      const all = [...input];
      yield Object.fromEntries(facets.map(([name, run]) => [name, [...run(all)]]));
    };
  };
}

function unionWith(compilePipeline: CompilePipeline): CompileStage {
  return (argument, context) => {
    const spec = typeof argument === 'string' ? { coll: argument } : argument;
    if (!isDoc(spec) || typeof spec.coll !== 'string') {
      throw new StoreError(9, 'the $unionWith stage specification must be an object or string');
    }
    const { coll, pipeline } = spec as Doc;
    const inner = compilePipeline(pipeline ?? [], { ...context, frame: { vars: {} } });
    const { engine, db } = context;
    return function* (input) {
      yield* input;
      const other = engine.catalog.get(db, coll as string);
      if (!other) return;
      const rows = scanCollection(engine.sql, other, false);
      yield* inner(Array.from(rows, row => readDocument(row.bytes)));
    };
  };
}

/** Stages of the server that the store does not have. */
const REFUSED = new Set([
  '$bucket',
  '$bucketAuto',
  '$changeStream',
  '$collStats',
  '$currentOp',
  '$densify',
  '$documents',
  '$fill',
  '$geoNear',
  '$graphLookup',
  '$indexStats',
  '$listSessions',
  '$merge',
  '$out',
  '$planCacheStats',
  '$redact',
  '$sample',
  '$search',
  '$setWindowFields',
]);

/** Compiles one stage: a document with the stage's name as its only field. */
export function compileStage(stage: Value, context: StageContext, compilePipeline: CompilePipeline): Stage {
  if (!isDoc(stage)) throw new StoreError(14, "Each element of the 'pipeline' array must be an object");
  const names = Object.keys(stage);
  if (names.length !== 1) {
    throw new StoreError(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  const name = names[0]!;
  const compile = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
  if (compile) return compile(stage[name]!, context, name);
  if (name === '$lookup') return lookup(compilePipeline)(stage[name]!, context, name);
  if (name === '$facet') return facet(compilePipeline)(stage[name]!, context, name);
  if (name === '$unionWith') return unionWith(compilePipeline)(stage[name]!, context, name);
  if (REFUSED.has(name)) throw notSupported(`the aggregation stage ${name}`);
  throw new StoreError(40324, `Unrecognized pipeline stage name: '${name}'`);
}

const STAGES: Record<string, CompileStage> = {
  $match: match,
  $project: project,
  $addFields: addFields,
  $set: addFields,
  $unset: unset,
  $replaceRoot: replaceRoot,
  $replaceWith: (argument, context) => replace(argument, 'replacement document', context),
  $group: group,
  $sort: sort,
  $limit: limit,
  $skip: skip,
  $unwind: unwind,
  $count: count,
  $sortByCount: sortByCount,
};
