import type { Engine } from '../engine.ts';
import { CODE, StoreError } from '../errors.ts';
import { type Doc, isDoc, type Value } from '../values/value.ts';
import { scopeOf } from './expression.ts';
import type { CompilePipeline, Stage, StageContext } from './stage.ts';
import { compileStage } from './stages.ts';

/** Compiles the stages of a pipeline into one. */
export const compilePipeline: CompilePipeline = (stages, context) => {
  if (!Array.isArray(stages))
    throw new StoreError(CODE.TypeMismatch, "'pipeline' option must be specified as an array");
  const compiled = stages.map(stage => compileStage(stage, context, compilePipeline));
  return input => compiled.reduce((docs, stage) => stage(docs), input);
};

const UPDATE_STAGES = ['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'];

/** Compiles a pipeline-style update: the stages that make one document of one. */
export function compileUpdatePipeline(stages: Value[], engine: () => Engine, now: Date): (doc: Doc) => Doc {
  const context: StageContext = {
    engine: engine(),
    db: '',
    scope: scopeOf(now),
    frame: { vars: {} },
    deadline: undefined,
  };
  const run: Stage = compilePipeline(stages, context);
  for (const stage of stages) {
    const name = isDoc(stage) ? Object.keys(stage)[0]! : '';
    if (!UPDATE_STAGES.includes(name)) {
      throw new StoreError(CODE.InvalidOptions, `${name} is not allowed to be used within an update`);
    }
  }
  return doc => [...run([doc])][0]!;
}
