import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span as it was received. */
export interface ReceivedSpan {
  service: string;
  instance: string;
  traceId: string;
  spanId: string;
  /** Undefined for the root of a trace. */
  parentSpanId: string | undefined;
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes: Record<string, string | number>;
  /** Trace ids of its links. */
  links: string[];
  failed: boolean;
  startMs: number;
  endMs: number;
}

export interface OtlpReceiver {
  /** What OTEL_EXPORTER_OTLP_ENDPOINT has to say. */
  url: string;
  spans: ReceivedSpan[];
  /** Every request's body as text, to search it for what must not be there. */
  bodies: string[];
  /** Requests that came, also those that got no answer. */
  requests(): number;
  /** How the next requests are treated: taken, refused by a 503, or left without an answer. */
  behave(how: 'take' | 'refuse' | 'hang'): void;
  close(): Promise<void>;
}

/** A receiver of traces by OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), for tests. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  let count = 0;
  let behaviour: 'take' | 'refuse' | 'hang' = 'take';
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    count += 1;
    const how = behaviour;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (how === 'hang') return;
    if (how === 'refuse' || request.url !== '/v1/traces') {
      response.writeHead(how === 'refuse' ? 503 : 404).end();
      return;
    }
    const raw = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
    bodies.push(text);
    spans.push(...spansOf(JSON.parse(text)));
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    requests: () => count,
    behave(how) {
      behaviour = how;
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Attributes = { key: string; value: { stringValue?: string; intValue?: number; doubleValue?: number } }[];

interface Body {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: number;
        attributes?: Attributes;
        links?: { traceId: string }[];
        status?: { code?: number };
        startTimeUnixNano: string;
        endTimeUnixNano: string;
      }[];
    }[];
  }[];
}

const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

const valuesOf = (attributes: Attributes = []): Record<string, string | number> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue ?? value.doubleValue)]),
  );

function spansOf({ resourceSpans }: Body): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const about = valuesOf(resource.attributes);
    return scopeSpans.flatMap(scope =>
      scope.spans.map(span => ({
        service: String(about['service.name']),
        instance: String(about['service.instance.id']),
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        kind: kinds[span.kind] ?? 'internal',
        attributes: valuesOf(span.attributes),
        links: (span.links ?? []).map(link => link.traceId),
        failed: span.status?.code === 2,
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
      })),
    );
  });
}

/**
 * What a trace is made of: the way from its root to each span as `service: name > service: name`, each way once, sorted.
 * @param keep which spans count; those below one that does not are shown below its parent
 */
export function pathsOf(spans: readonly ReceivedSpan[], keep: (span: ReceivedSpan) => boolean = () => true): string[] {
  const byId = new Map(spans.map(span => [span.spanId, span]));
  const pathOf = (span: ReceivedSpan): string[] => {
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
    const above = span.parentSpanId === undefined ? [] : parent ? pathOf(parent) : ['?'];
    return keep(span) ? [...above, `${span.service}: ${span.name}`] : above;
  };
  return [...new Set(spans.filter(keep).map(span => pathOf(span).join(' > ')))].sort();
}
