import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../config.ts';
import { currentContext, traceIdOf, withContext } from '../context.ts';
import { AppError } from '../errors.ts';
import { createLogger, silentLogger } from '../logger.ts';
import { startOtlpReceiver } from '../testing/otlpReceiver.ts';
import { beginTrace, inSpan, openTracing, runTraced, type Tracing } from './tracing.ts';

const receiver = await startOtlpReceiver();
after(() => receiver.close());
const open: Tracing[] = [];
afterEach(async () => {
  receiver.behave('take');
  receiver.spans.length = 0;
  await Promise.all(open.splice(0).map(one => one.close()));
});

async function start(environment: Record<string, string> = {}, logger = silentLogger(), service?: string) {
  const tracing = await openTracing(
    { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '10', ...environment },
    logger,
    service,
  );
  assert.ok(tracing);
  open.push(tracing);
  return tracing;
}

async function received(count: number): Promise<typeof receiver.spans> {
  for (let waits = 0; receiver.spans.length < count; waits += 1) {
    assert.ok(waits < 1_000, `${receiver.spans.length} of ${count} spans after 10 s`);
    await sleep(10);
  }
  return receiver.spans;
}

const remote = (flags: string) => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`;

describe('without an endpoint', () => {
  test('there are no traces, nor where the standard switches say so', async () => {
    const none = [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SDK_DISABLED: 'true' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_EXPORTER: 'none' },
    ];
    for (const environment of none) assert.equal(await openTracing(environment, silentLogger()), undefined);
  });

  test('nothing of OpenTelemetry is loaded', () => {
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) {
        if (/@opentelemetry\\/(sdk|exporter|resources)/.test(name)) process.stdout.write(name);
        return next(name, context);
      } });
      const { openTracing } = await import(${JSON.stringify(fileURLToPath(new URL('tracing.ts', import.meta.url)))});
      await import(${JSON.stringify(fileURLToPath(new URL('../main.ts', import.meta.url)))});
      await openTracing(process.env, undefined);`;
    const loadedWith = (environment: Record<string, string>) => {
      const env = { PATH: process.env.PATH, ...environment };
      const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
      assert.equal(ended.status, 0, ended.stderr);
      return ended.stdout;
    };
    assert.equal(loadedWith({}), '');
    assert.match(loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }), /sdk-trace/);
  });

  test('work runs as it is, and calls carry a trace of their own', async () => {
    const context = { requestId: 'r', ...beginTrace(undefined, 'GET', { parent: remote('01') }) };
    assert.equal(traceIdOf(context.traceparent), 'a'.repeat(32));
    await runTraced(context, () => inSpan('inner', {}, async () => assert.equal(currentContext(), context)));
  });
});

describe('spans', () => {
  test('stand below each other, continue what came from elsewhere, and agree with the context', async () => {
    const tracer = (await start()).tracerOf('order-service');
    const context = { requestId: 'r', ...beginTrace(tracer, 'GET /x', { kind: 'server', parent: remote('01') }) };
    let inside = '';
    await runTraced(context, () =>
      inSpan('step', { attributes: { 'tradepost.order.id': 'o' } }, async () => {
        inside = currentContext()?.traceparent ?? '';
        assert.equal(currentContext()?.requestId, 'r');
      }),
    );
    const [step, request] = await received(2);
    assert.deepEqual([step?.name, request?.name], ['step', 'GET /x']);
    assert.equal(request?.parentSpanId, 'b'.repeat(16));
    assert.equal(step?.parentSpanId, request?.spanId);
    assert.equal(inside, `00-${'a'.repeat(32)}-${step?.spanId}-01`);
    assert.deepEqual([step?.service, step?.attributes], ['order-service', { 'tradepost.order.id': 'o' }]);
  });

  test('tell the class of an error and nothing of its text', async () => {
    const tracer = (await start()).tracerOf('user-service');
    const errors = [
      new AppError('not_found', { detail: 'hush' }),
      Object.assign(new Error('hush'), { code: 'ECONNREFUSED' }),
      Object.assign(new Error('hush'), { code: 'hush' }),
    ];
    for (const error of errors) {
      const context = { requestId: 'r', ...beginTrace(tracer, 'work', {}) };
      await assert.rejects(
        runTraced(context, () => Promise.reject(error)),
        error,
      );
    }
    const spans = await received(3);
    assert.deepEqual(
      spans.map(span => [span.failed, span.attributes['error.type']]),
      [
        [true, 'not_found'],
        [true, 'ECONNREFUSED'],
        [true, 'Error'],
      ],
    );
    assert.doesNotMatch(receiver.bodies.join(), /hush/);
  });

  test('say whose they are: each service of one process, or the one that OTEL_SERVICE_NAME renames', async () => {
    process.env.OTEL_SERVICE_NAME = 'renamed';
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment.name=test';
    try {
      const [many, one] = [await start(), await start({}, silentLogger(), 'gateway')];
      for (const name of ['gateway', 'user-service']) many.tracerOf(name).begin('x').end();
      one.tracerOf('gateway').begin('x').end();
      const services = (await received(3)).map(span => span.service);
      assert.deepEqual(services.sort(), ['gateway', 'renamed', 'user-service']);
      assert.match(receiver.bodies.join(), /deployment\.environment\.name/);
    } finally {
      delete process.env.OTEL_SERVICE_NAME;
      delete process.env.OTEL_RESOURCE_ATTRIBUTES;
    }
  });

  test('are sampled as OTEL_TRACES_SAMPLER says, and the decision is carried on', async () => {
    const flagsOf = async (sampler: string, parent?: string, arg?: string) => {
      const tracing = await start({ OTEL_TRACES_SAMPLER: sampler, ...(arg ? { OTEL_TRACES_SAMPLER_ARG: arg } : {}) });
      const span = tracing.tracerOf('s').begin('x', { parent });
      return [span.traceparent.slice(-2), span.child('y').traceparent.slice(-2)];
    };
    assert.deepEqual(await flagsOf('always_off'), ['00', '00']);
    assert.deepEqual(await flagsOf('parentbased_always_on', remote('00')), ['00', '00']);
    assert.deepEqual(await flagsOf('parentbased_always_on'), ['01', '01']);
    assert.deepEqual(await flagsOf('parentbased_always_off', remote('01')), ['01', '01']);
    assert.deepEqual(await flagsOf('parentbased_traceidratio', undefined, '0'), ['00', '00']);
    assert.deepEqual(await flagsOf('traceidratio', remote('00'), '1'), ['01', '01']);
  });

  test('a setting that does not fit is named', async () => {
    const wrong: [Record<string, string>, RegExp][] = [
      [{ OTEL_TRACES_SAMPLER: 'sometimes' }, /OTEL_TRACES_SAMPLER: must be one of always_on/],
      [{ OTEL_TRACES_SAMPLER_ARG: '2' }, /OTEL_TRACES_SAMPLER_ARG/],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'jaeger:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT: must be an http address/],
      [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /OTEL_EXPORTER_OTLP_PROTOCOL: must be http\/json/],
    ];
    for (const [environment, message] of wrong) {
      await assert.rejects(start(environment), error => error instanceof ConfigError && message.test(error.message));
    }
  });
});

describe('a receiver', () => {
  const logged = () => {
    const lines: string[] = [];
    return { lines, logger: createLogger('gateway', 'info', { write: line => void lines.push(line) }) };
  };
  const work = async (tracing: Tracing, count: number): Promise<void> => {
    const tracer = tracing.tracerOf('gateway');
    for (let n = 0; n < count; n += 1) {
      const context = { requestId: 'r', ...beginTrace(tracer, 'x', {}) };
      await withContext(context, async () => context.span?.end());
      if (n % 100 === 0) await sleep(1);
    }
  };

  for (const how of ['refuse', 'hang'] as const) {
    test(`that ${how}s costs spans beyond the queue, no work, and a line at most`, { timeout: 60_000 }, async () => {
      const { lines, logger } = logged();
      receiver.behave(how);
      const settings = { OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '50' };
      const tracing = await start({ ...settings, OTEL_BSP_EXPORT_TIMEOUT: '200' }, logger);
      await work(tracing, 5_000);
      assert.ok(lines.length <= 1, lines.join());
      receiver.behave('take');
      const began = performance.now();
      await tracing.close();
      assert.ok(performance.now() - began < 10_000, 'closing does not wait for the receiver');
      assert.ok(receiver.spans.length <= 250, `${receiver.spans.length} spans were kept for it`);
    });
  }

  test('that is away is told of once, and again when it is back', { timeout: 60_000 }, async () => {
    const { lines, logger } = logged();
    const away = await startOtlpReceiver();
    await away.close();
    const tracing = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: away.url, OTEL_BSP_EXPORT_TIMEOUT: '60000' }, logger);
    await work(tracing, 2_000);
    await tracing.close();
    assert.ok(lines.length <= 1, lines.join());
    assert.ok(lines.every(line => JSON.parse(line).level === 'warn' && !line.includes('"stack"')));
  });

  test('gets what is left when the process ends', async () => {
    const tracing = await start({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
    for (let n = 0; n < 1_500; n += 1) tracing.tracerOf('gateway').begin('x').end();
    assert.equal(receiver.spans.length, 0);
    await tracing.close();
    assert.equal(receiver.spans.length, 1_500);
  });
});
