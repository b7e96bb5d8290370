import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import { BusUnavailableError, type EventBus } from '@tradepost/shared/messaging/eventBus';
import { z } from 'zod';
import type * as schemas from '../routes/operationSchemas.ts';

export interface DeadLetterController {
  list: ControllerOf<typeof schemas.listDeadLetters>;
  replay: ControllerOf<typeof schemas.replayDeadLetter>;
}

/** Shows what no service could handle, and has it handled again. The letters of all services lie on the one bus. */
export function createDeadLetterController(bus: Pick<EventBus, 'deadLetters' | 'replay'>): DeadLetterController {
  return {
    async list({ query: { queue, limit, cursor } }) {
      const after = decodeCursor(cursor, 'newest', z.tuple([z.string()]))?.[0];
      const letters = await asked(
        bus.deadLetters({ limit: limit + 1, ...(queue ? { queue } : {}), ...(after ? { after } : {}) }),
      );
      const items = letters.slice(0, limit);
      const last = items.at(-1);
      const nextCursor = letters.length > limit && last ? encodeCursor('newest', [last.id]) : null;
      return reply(200, { items, nextCursor });
    },
    async replay({ params: { id } }) {
      if (!(await asked(bus.replay(id)))) throw new AppError('not_found');
      return reply(202, { id, status: 'replayed' });
    },
  };
}

function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    if (!(cause instanceof BusUnavailableError)) throw cause;
    throw new AppError('service_unavailable', { detail: 'The message broker is not available', retryAfter: 1, cause });
  });
}
