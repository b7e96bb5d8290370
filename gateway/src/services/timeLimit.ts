import type { Request, Response } from 'express';
import type { Exchange } from './upstreamProxy.ts';

/** The service did not answer in time. */
export class TooSlow extends Error {
  override name = 'TooSlow';
}

/**
 * Ends an exchange that takes longer than `ms`, or, where the exchange streams, that stands still for so long. A client
 * that still reads a complete answer is given time as long as it makes progress.
 * @param onLate called once, before the answer has begun
 */
export function limitTime(
  request: Request,
  response: Response,
  exchange: Exchange,
  limit: { ms: number; streamed: boolean },
  onLate: (error: TooSlow) => void,
): void {
  let written = 0;
  const timer = setTimeout(() => {
    const now = request.socket.bytesWritten;
    if (exchange.answered && response.writableNeedDrain && now > written) {
      written = now;
      timer.refresh();
      return;
    }
    const late = new TooSlow(`no answer within ${limit.ms} ms`);
    exchange.over = true;
    exchange.call?.destroy(late);
    if (exchange.answered) response.destroy();
    else onLate(late);
  }, limit.ms);
  if (limit.streamed) exchange.onProgress = () => timer.refresh();
  else exchange.deadline = Date.now() + limit.ms;
  response.once('close', () => clearTimeout(timer));
}
