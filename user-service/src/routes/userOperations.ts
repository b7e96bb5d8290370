import { addressAnswer, revocationsAnswer } from '@tradepost/shared/contracts/users';
import { operation } from '@tradepost/shared/http/route';
import { id, idParams, pageOf, pageQuery } from '@tradepost/shared/http/schemas';
import { z } from 'zod';
import { email, role, user } from './fields.ts';

const tag = 'Users';

export const listUsers = operation({
  id: 'listUsers',
  summary: 'All accounts, newest first, or the one with an address',
  tag,
  query: z.strictObject({ email: email.optional(), ...pageQuery }),
  answers: { 200: { description: 'A page of accounts', body: pageOf(user) } },
  errors: ['invalid_cursor'],
});

export const getUser = operation({
  id: 'getUser',
  summary: 'An account',
  tag,
  params: idParams,
  answers: { 200: { description: 'The account', body: user } },
  errors: ['not_found'],
});

export const changeRole = operation({
  id: 'changeRole',
  summary: 'Give a user another role',
  description: 'Access tokens with the old role are refused within seconds; the next refresh brings the new one.',
  tag,
  params: idParams,
  body: z.strictObject({ role }),
  answers: { 200: { description: 'The account as it is now', body: user } },
  errors: ['not_found'],
});

export const getAddress = operation({
  id: 'getAddress',
  summary: 'An address of a user',
  tag: 'Internal',
  params: z.strictObject({ userId: id, addressId: id }),
  answers: { 200: { description: 'The address', body: addressAnswer } },
  errors: ['not_found'],
});

export const listRevocations = operation({
  id: 'listRevocations',
  summary: 'What ended in the last minutes',
  tag: 'Internal',
  answers: { 200: { description: 'Sessions, users and roles', body: revocationsAnswer } },
});
