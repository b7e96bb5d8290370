import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import type { Deadline } from '../plan/query.ts';
import { type Doc, typeOf, type Value } from '../values/value.ts';
import type { Scope } from './env.ts';

/** What the stages of a pipeline are compiled for. */
export interface StageContext {
  engine: Engine;
  db: string;
  scope: Scope;
  /** The values of the scope's variables; a pipeline inside `$lookup` gets others for every document. */
  frame: { vars: Doc };
  deadline: Deadline | undefined;
}

/** A compiled stage. */
export type Stage = (input: Iterable<Doc>) => Iterable<Doc>;

/** Compiles the argument of a stage. Throws the server's error for a bad one. */
export type CompileStage = (argument: Value, context: StageContext, name: string) => Stage;

/** Compiles a pipeline into one function of its input; handed to the stages that have pipelines inside. */
export type CompilePipeline = (stages: Value, context: StageContext) => Stage;

/** Throws when a stage's argument is not of the type it must be. */
export function wrongArgument(code: number, name: string, expected: string, v: Value): StoreError {
  return new StoreError(code, `the ${name} stage specification must be ${expected}, but got ${typeOf(v).name}`);
}

/** Runs `compile` and names the stage in the error it throws. */
export function within<T>(name: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `Invalid ${name} :: caused by :: ${error.message}`, error.details);
  }
}
