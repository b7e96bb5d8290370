import { operation } from '@tradepost/shared/http/route';
import { id, pageOf, queryInt, timestamp } from '@tradepost/shared/http/schemas';
import { z } from 'zod';

const tag = 'Operations';

const parkedSaga = z
  .strictObject({
    orderId: id,
    status: z.enum(['running', 'done', 'needs_attention']),
    attempts: z.int().nonnegative(),
    lastError: z.string().optional(),
    createdAt: timestamp,
  })
  .meta({ id: 'Saga' });

export const listSagas = operation({
  id: 'listSagas',
  summary: 'List the orders whose saga needs attention',
  tag,
  query: z.strictObject({
    limit: queryInt(1, 100).default(20),
    cursor: z.string().min(1).max(1024).optional(),
  }),
  answers: { 200: { description: 'A page of sagas, oldest first', body: pageOf(parkedSaga) } },
  errors: ['invalid_cursor'],
});

export const retrySaga = operation({
  id: 'retrySaga',
  summary: 'Have an order worked on again',
  tag,
  params: z.strictObject({ orderId: id }),
  answers: {
    202: { description: 'It will be worked on', body: z.strictObject({ orderId: id, status: z.literal('running') }) },
  },
  errors: ['not_found'],
});

export const auditShop = operation({
  id: 'auditShop',
  summary: "Hold the shop's books against each other",
  description: 'Orders, money, stock and views, while the shop runs.',
  tag,
  query: z.strictObject({
    patienceMs: queryInt(0, 3_600_000)
      .default(30_000)
      .meta({ description: 'Age in milliseconds from which on unfinished work counts as a finding' }),
  }),
  answers: {
    200: {
      description: 'What was checked, and what is off',
      body: z
        .strictObject({
          clean: z.boolean(),
          checks: z.array(z.strictObject({ check: z.string(), what: z.string(), checked: z.int(), findings: z.int() })),
          findings: z.array(z.strictObject({ check: z.string(), id: z.string(), detail: z.string() })),
          durationMs: z.number(),
        })
        .meta({ id: 'AuditReport' }),
    },
  },
  deadlineMs: 60_000,
});

const deadLetter = z
  .strictObject({
    id: z.string(),
    queue: z.string().meta({ example: 'user-service.order.confirmed' }),
    message: z.unknown().meta({ description: 'As it was received; a string when it is no JSON' }),
    error: z.string(),
    attempts: z.int().nonnegative(),
    deadAt: timestamp,
  })
  .meta({ id: 'DeadLetter' });

/** Looking at the letters of all services takes the broker a while. */
const deadLetterDeadlineMs = 10_000;

export const listDeadLetters = operation({
  id: 'listDeadLetters',
  summary: 'List the messages that a service could not handle',
  description: 'Of all services, newest first. Each was tried several times, unless it does not fit its contract.',
  tag,
  query: z.strictObject({
    queue: z.string().min(1).max(200).optional().meta({ description: 'Only those of this queue' }),
    limit: queryInt(1, 100).default(20),
    cursor: z.string().min(1).max(1024).optional(),
  }),
  answers: { 200: { description: 'A page of dead letters', body: pageOf(deadLetter) } },
  errors: ['invalid_cursor'],
  deadlineMs: deadLetterDeadlineMs,
});

export const replayDeadLetter = operation({
  id: 'replayDeadLetter',
  summary: 'Put a dead letter back on its queue',
  description: 'It has all its attempts again, and is a dead letter under another id when they fail.',
  tag,
  params: z.strictObject({ id: z.string().min(1).max(100) }),
  answers: {
    202: {
      description: 'It will be handled',
      body: z.strictObject({ id: z.string(), status: z.literal('replayed') }),
    },
  },
  errors: ['not_found'],
  deadlineMs: deadLetterDeadlineMs,
});
