import { operation } from '@tradepost/shared/http/route';
import { z } from 'zod';

/** A part of the dashboard in the shape in which another service documents it, or null. */
const partOf = (schema: object, description: string) =>
  z.unknown().meta({ description, override: { description, anyOf: [schema, { type: 'null' }] } });
const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` });

export const getDashboard = operation({
  id: 'getDashboard',
  summary: 'What a signed-in user sees first',
  description: 'Gathered from three services. A part whose service fails is null and named in `degraded`.',
  tag: 'Dashboard',
  answers: {
    200: {
      description: 'The parts that could be had',
      body: z
        .strictObject({
          user: partOf(refTo('User'), 'The account'),
          orders: partOf({ type: 'array', items: refTo('Order') }, 'The last 10 orders of the account'),
          recentProducts: partOf({ type: 'array', items: refTo('Product') }, 'The 10 newest products'),
          degraded: z.array(z.enum(['user', 'orders', 'recentProducts'])),
        })
        .meta({ id: 'Dashboard' }),
    },
  },
});

const tag = 'About';

export const getHome = operation({
  id: 'getHome',
  summary: 'Where to go from here',
  description: 'A page for people; JSON for clients that prefer it.',
  tag,
  headers: { Accept: { description: '`application/json` for JSON' } },
  answers: {
    200: {
      description: 'Links',
      body: z.strictObject({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) }),
      contentType: 'text/html',
    },
  },
});

export const getDocs = operation({
  id: 'getDocs',
  summary: 'This documentation as a page',
  tag,
  answers: { 200: { description: 'A page in which calls can be tried', contentType: 'text/html' } },
});

export const getOpenApi = operation({
  id: 'getOpenApi',
  summary: 'This documentation as an OpenAPI document',
  tag,
  answers: { 200: { description: 'OpenAPI 3.1', body: z.looseObject({ openapi: z.string() }) } },
});
