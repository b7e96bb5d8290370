export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** By the names of OpenTelemetry's semantic conventions. Never personal data, never a value that a client has sent. */
export type SpanAttributes = Record<string, string | number>;

export interface SpanOptions {
  /** Default `internal`. */
  kind?: SpanKind;
  attributes?: SpanAttributes;
  /** Traceparents of other traces that it belongs to. */
  links?: readonly string[];
}

/** A piece of work that is being measured as a part of a trace. */
export interface ActiveSpan {
  /** What calls and messages of this piece of work carry on. */
  readonly traceparent: string;
  child(name: string, options?: SpanOptions): ActiveSpan;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** @param type a class of errors with few values, never a text, which may quote what a client has sent */
  fail(type: string): void;
  end(): void;
}

/** Makes the spans of one service. */
export interface Tracer {
  /** @param options.parent traceparent of what has caused it, maybe elsewhere; without it a trace begins */
  begin(name: string, options?: SpanOptions & { parent?: string | undefined }): ActiveSpan;
}
