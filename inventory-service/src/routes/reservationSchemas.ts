import {
  done,
  holdsRequest,
  releaseRequest,
  reserveAnswer,
  reserveRequest,
} from '@tradepost/shared/contracts/inventory';
import { operation } from '@tradepost/shared/http/route';
import { id } from '@tradepost/shared/http/schemas';
import { z } from 'zod';

const tag = 'Internal';
const params = z.strictObject({ orderId: id });
const answers = { 200: { description: 'Done, now or before', body: done } };

/** Orders of a thousand lines take a while; nobody waits longer than this. */
const deadlineMs = 10_000;

export const reserve = operation({
  id: 'reserveStock',
  summary: 'Hold all products of an order or none',
  tag,
  body: reserveRequest,
  answers: {
    201: { description: 'Held', body: reserveAnswer },
    200: { description: 'The order held all of it before', body: reserveAnswer },
  },
  errors: ['insufficient_stock', 'hold_gone'],
  deadlineMs,
});

export const pin = operation({
  id: 'pinHolds',
  summary: 'Make holds safe from expiry',
  tag,
  params,
  body: holdsRequest,
  answers,
  errors: ['hold_gone'],
  deadlineMs,
});

export const commit = operation({
  id: 'commitHolds',
  summary: 'Sell pinned holds',
  tag,
  params,
  body: holdsRequest,
  answers,
  errors: ['hold_gone'],
  deadlineMs,
});

export const release = operation({
  id: 'releaseOrder',
  summary: 'Give back what an order holds and what was sold to it',
  tag,
  params,
  body: releaseRequest,
  answers,
  deadlineMs,
});
