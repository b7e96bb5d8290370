import assert from 'node:assert/strict';
import { pathsOf, type ReceivedSpan } from '@tradepost/shared/testing/otlpReceiver';

/** Begins as every order does. */
const begun = `
gateway: POST /api/orders
  gateway: POST order-service
    order-service: POST /api/orders
      order-service: POST /internal/products/lookup
        product-service: POST /internal/products/lookup
      order-service: saga
        order-service: publish order.created
        order-service: saga reserve
          order-service: POST /internal/reservations
            inventory-service: POST /internal/reservations
        order-service: saga charge
          order-service: POST /internal/reservations/:id/pin
            inventory-service: POST /internal/reservations/:orderId/pin
          order-service: POST /internal/charges
            payment-service: POST /internal/charges`;

const confirmed = `${begun}
              payment-service: publish payment.captured
        order-service: saga commit
          order-service: POST /internal/reservations/:id/commit
            inventory-service: POST /internal/reservations/:orderId/commit
              inventory-service: publish inventory.stock_changed
                product-service: consume product-service.inventory.stock_changed
        order-service: publish order.confirmed
          user-service: consume user-service.order.confirmed`;

const declined = `${begun}
              payment-service: publish payment.declined
        order-service: saga compensate
          order-service: POST /internal/charges/:id/cancel
            payment-service: POST /internal/charges/:orderId/cancel
          order-service: POST /internal/reservations/:id/release
            inventory-service: POST /internal/reservations/:orderId/release
        order-service: publish order.cancelled
          inventory-service: consume inventory-service.order.cancelled
          payment-service: consume payment-service.order.cancelled`;

/** The way from the root to each line of an indented tree. */
function pathsIn(tree: string): string[] {
  const above: string[] = [];
  const paths = tree
    .trim()
    .split('\n')
    .map(line => {
      const depth = line.search(/\S/) / 2;
      above.splice(depth, above.length, line.trim());
      return above.join(' > ');
    });
  return [...new Set(paths)].sort();
}

const isDatabase = (span: ReceivedSpan): boolean => 'db.system.name' in span.attributes;
/** The stock after the hold: not told when it has changed again before anybody could tell. */
const held =
  /: POST \/internal\/reservations > inventory-service: publish inventory\.stock_changed( > product-service: consume .*)?$/;
const returned = / > inventory-service: publish inventory\.stock_changed( > product-service: consume .*)?$/;

/** What is missing in or too much in a trace, beside the commands of the databases. */
function differences(spans: readonly ReceivedSpan[], tree: string, isBack: (path: string) => boolean) {
  const wanted = pathsIn(tree);
  const seen = pathsOf(spans, span => !isDatabase(span));
  return {
    missing: wanted.filter(path => !seen.includes(path)),
    strange: seen.filter(path => !wanted.includes(path) && !isBack(path) && !held.test(path)),
    back: seen.filter(isBack),
  };
}

/** A span may be told before the one that it is a part of, and is strange until then. */
const isComplete = ({ missing, strange }: { missing: string[]; strange: string[] }): boolean =>
  missing.length === 0 && strange.length === 0;

/** What is not as it should be in the trace of an order that was confirmed. */
export const ofConfirmed = (spans: readonly ReceivedSpan[]) => differences(spans, confirmed, () => false);

/**
 * The same of an order whose card was declined. The stock is given back by the saga or by the consumer of the
 * cancellation, whoever is first; the other finds nothing to do.
 */
export const ofDeclined = (spans: readonly ReceivedSpan[]) =>
  differences(
    spans,
    declined,
    path => returned.test(path) && /release > |consume inventory-service\.order\.cancelled > /.test(path),
  );

export const isWholeConfirmed = (spans: readonly ReceivedSpan[]): boolean => isComplete(ofConfirmed(spans));

export const isWholeDeclined = (spans: readonly ReceivedSpan[]): boolean => {
  const seen = ofDeclined(spans);
  return isComplete(seen) && seen.back.some(path => path.includes('consume product-service'));
};

/** What holds for every trace: one root, times inside each other where somebody waits, databases beside their service. */
export function assertSound(spans: readonly ReceivedSpan[]): void {
  const byId = new Map(spans.map(span => [span.spanId, span]));
  const roots = spans.filter(span => span.parentSpanId === undefined);
  assert.deepEqual(
    roots.map(span => `${span.service}: ${span.name}`),
    ['gateway: POST /api/orders'],
  );
  for (const span of spans) {
    assert.ok(span.endMs >= span.startMs, span.name);
    if (span.parentSpanId === undefined) continue;
    const parent = byId.get(span.parentSpanId);
    assert.ok(parent, `${span.service}: ${span.name} has no parent in the trace`);
    if (isDatabase(span)) assert.equal(span.service, parent.service);
    if (span.kind === 'server') assert.equal(parent.kind, 'client');
    if (span.kind === 'consumer') assert.equal(parent.kind, 'producer');
  }
  const services = new Set(spans.filter(isDatabase).map(span => span.service));
  for (const service of ['order-service', 'inventory-service', 'payment-service', 'product-service']) {
    assert.ok(services.has(service), `${service} shows what it asks of its database`);
  }
}
