import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { OutboxDocuments } from './outboxDocuments.ts';

/** Counts what a relay does; depth and age are looked up when they are scraped. */
export function createOutboxMetrics(sources: readonly OutboxDocuments[], clock: Clock, registry: Registry) {
  const registers = [registry];
  const published = new Counter({ name: 'outbox_published_total', help: 'Messages published', registers });
  const refused = new Counter({
    name: 'outbox_refused_total',
    help: 'Times that the bus refused a message for another reason than not being there',
    registers,
  });

  async function depth(): Promise<number> {
    const counts = await Promise.all(sources.map(source => source.count()));
    return counts.reduce((sum, one) => sum + one, 0);
  }

  new Gauge({
    name: 'outbox_depth',
    help: 'Documents with messages that wait to be published',
    registers,
    async collect() {
      this.set(await depth().catch(() => Number.NaN));
    },
  });
  new Gauge({
    name: 'outbox_age_seconds',
    help: 'Age of the oldest message that waits to be published',
    registers,
    async collect() {
      try {
        const times = (await Promise.all(sources.map(source => source.oldest()))).filter(time => time !== undefined);
        this.set(times.length > 0 ? Math.max(0, clock().getTime() - Math.min(...times)) / 1_000 : 0);
      } catch {
        this.set(Number.NaN);
      }
    },
  });

  return { published: (count: number) => published.inc(count), refused: () => refused.inc(), depth };
}
