import { randomUUID } from 'node:crypto';
import {
  type Tracer as ApiTracer,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { z } from 'zod';
import { type Environment, integer, loadConfig } from '../config.ts';
import { withinMs } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { ActiveSpan, SpanAttributes, SpanOptions } from './span.ts';
import type { Tracing } from './tracing.ts';

const samplers: Record<string, (ratio: number) => Sampler> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: ratio => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: ratio => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};

const address = z.url({ protocol: /^https?$/, error: 'must be an http address' });
/**
 * OpenTelemetry's own names and defaults (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * Headers, certificates, compression and timeout of the exporter, and OTEL_RESOURCE_ATTRIBUTES, are read by its packages.
 */
const settings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: address.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address.optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .enum(['http/json', 'http/protobuf'], 'must be http/json, which every receiver of http/protobuf takes as well')
    .default('http/json'),
  OTEL_TRACES_SAMPLER: z
    .enum(Object.keys(samplers) as [string, ...string[]], `must be one of ${Object.keys(samplers).join(', ')}`)
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0|1|0?\.\d+|[01]\.0+)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .default(1),
  OTEL_BSP_SCHEDULE_DELAY: integer(1, 3_600_000, 5_000),
  OTEL_BSP_EXPORT_TIMEOUT: integer(1, 3_600_000, 30_000),
  OTEL_BSP_MAX_QUEUE_SIZE: integer(1, 1_000_000, 2_048),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integer(1, 1_000_000, 512),
};

const flushLimitMs = 2_000;

/**
 * Starts the SDK: one queue and one exporter for the process, a provider per service, since a span says by its resource
 * whose it is. A receiver that is away or slow costs spans, never requests: what does not fit the queue is dropped.
 * @throws ConfigError when a setting does not fit
 */
export function startTracing(environment: Environment, logger: Logger, service?: string): Tracing {
  const config = loadConfig(settings, environment);
  const base = config.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/$/, '');
  const processor = new BatchSpanProcessor({
    exporter: seldomHeard(
      new OTLPTraceExporter({ url: config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? `${base}/v1/traces` }),
      logger,
    ),
    scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY,
    exportTimeoutMillis: config.OTEL_BSP_EXPORT_TIMEOUT,
    maxQueueSize: config.OTEL_BSP_MAX_QUEUE_SIZE,
    maxExportBatchSize: Math.min(config.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, config.OTEL_BSP_MAX_QUEUE_SIZE),
  });
  const sampler = samplers[config.OTEL_TRACES_SAMPLER]?.(config.OTEL_TRACES_SAMPLER_ARG) as Sampler;
  const process = resourceFromAttributes({ 'service.instance.id': randomUUID() });
  const given = detectResources({ detectors: [envDetector] });
  return {
    tracerOf(name) {
      const own = resourceFromAttributes({ 'service.name': name, 'service.namespace': 'tradepost' });
      const resource = service === undefined ? given.merge(own) : own.merge(given);
      const provider = new TracerProvider({ sampler, resource: process.merge(resource), spanProcessors: [processor] });
      const tracer = provider.getTracer('tradepost');
      return { begin: (span, options = {}) => begin(tracer, span, options, contextOf(options.parent)) };
    },
    async close() {
      await withinMs(
        flushLimitMs,
        processor.shutdown().catch(() => {}),
      );
    },
  };
}

/** Logs when exporting begins to fail and when it works again, not each time. */
function seldomHeard(exporter: SpanExporter, logger: Logger): SpanExporter {
  let lost = 0;
  return {
    export(spans, done) {
      exporter.export(spans, result => {
        const failed = result.code !== 0;
        if (failed && lost === 0) logger.warn({ err: result.error }, 'traces cannot be exported and are lost');
        if (!failed && lost > 0) logger.info({ lost }, 'traces are exported again');
        lost = failed ? lost + spans.length : 0;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = (traceparent && pattern.exec(traceparent)) || [];
  if (!traceId || !spanId || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags ?? '', 16) & 1, isRemote: true };
}

function contextOf(parent: string | undefined): Context {
  const spanContext = spanContextOf(parent);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

function begin(tracer: ApiTracer, name: string, options: SpanOptions, parent: Context): ActiveSpan {
  const { kind = 'internal', attributes = {}, links = [] } = options;
  const span = tracer.startSpan(
    name,
    {
      ...{ kind: kinds[kind], attributes },
      links: links.flatMap(link => spanContextOf(link) ?? []).map(context => ({ context })),
    },
    parent,
  );
  return new TracedSpan(tracer, span);
}

class TracedSpan implements ActiveSpan {
  readonly traceparent: string;
  readonly #tracer: ApiTracer;
  readonly #span: Span;
  #context: Context | undefined;

  constructor(tracer: ApiTracer, span: Span) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-0${traceFlags & 1}`;
    this.#tracer = tracer;
    this.#span = span;
  }

  child(name: string, options: SpanOptions = {}): ActiveSpan {
    this.#context ??= trace.setSpan(ROOT_CONTEXT, this.#span);
    return begin(this.#tracer, name, options, this.#context);
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(type: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', type);
  }

  end(): void {
    this.#span.end();
  }
}
