import type { Environment } from '../config.ts';
import { childTraceparent, currentContext, type RequestContext, withContext } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { SpanOptions, Tracer } from './span.ts';

/** The traces of a process, on their way to an OTLP receiver. */
export interface Tracing {
  tracerOf(service: string): Tracer;
  /** Sends what is left, within 2 s; never rejects. */
  close(): Promise<void>;
}

/** Whether the environment asks for traces. */
const isOn = (environment: Environment): boolean =>
  Boolean(environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT) &&
  environment.OTEL_SDK_DISABLED !== 'true' &&
  environment.OTEL_TRACES_EXPORTER !== 'none';

/**
 * Opens the export of traces where OTEL_EXPORTER_OTLP_ENDPOINT is set. Otherwise there is none, and nothing of
 * OpenTelemetry is loaded.
 * @param service the only service of this process, which OTEL_SERVICE_NAME may call by another name
 * @throws ConfigError when a setting of OpenTelemetry does not fit
 */
export async function openTracing(
  environment: Environment,
  logger: Logger,
  service?: string,
): Promise<Tracing | undefined> {
  if (!isOn(environment)) return undefined;
  const { startTracing } = await import('./openTelemetry.ts');
  return startTracing(environment, logger, service);
}

/**
 * The trace of a context that begins here: a span when there is a tracer, else only the ids that logs and calls carry.
 * @param options.parent traceparent of what has caused it
 */
export function beginTrace(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions & { parent?: string | undefined },
): Pick<RequestContext, 'traceparent' | 'span'> {
  const span = tracer?.begin(name, options);
  return span ? { span, traceparent: span.traceparent } : { traceparent: childTraceparent(options.parent) };
}

/** Runs work in a context and ends the context's span, if it has one, with it. */
export function runTraced<T>(context: RequestContext, work: () => Promise<T>): Promise<T> {
  const { span } = context;
  if (!span) return withContext(context, work);
  return withContext(context, async () => {
    try {
      return await work();
    } catch (error) {
      span.fail(errorType(error));
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Runs work as a span of the current trace. Where there is none, it only runs. */
export function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const context = currentContext();
  const span = context?.span?.child(name, options);
  return context && span ? runTraced({ ...context, span, traceparent: span.traceparent }, work) : work();
}

/** The class of an error: its text may quote what a client has sent, and belongs in no span. */
export function errorType(error: unknown): string {
  if (error instanceof AppError) return error.code;
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : error.name;
}
