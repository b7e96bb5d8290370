import { createHash } from 'node:crypto';

/**
 * Id of a dead letter: the moment in base 36 and a digest of queue and message, so that ids sort by time, are safe in a
 * URL and are the same however often the letter is read.
 */
export function deadLetterId(deadAt: Date, queue: string, body: string): string {
  const digest = createHash('sha256').update(queue).update('\n').update(body).digest('hex').slice(0, 16);
  return `${deadAt.getTime().toString(36).padStart(9, '0')}-${digest}`;
}
