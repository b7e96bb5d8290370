import { operation } from '@tradepost/shared/http/route';
import { idParams, pageOf, pageQuery } from '@tradepost/shared/http/schemas';
import { z } from 'zod';
import { address, addressInput, name, newPassword, password, session, user } from './fields.ts';

const tag = 'Account';

export const getMe = operation({
  id: 'getMe',
  summary: 'Own account',
  tag,
  answers: { 200: { description: 'The account', body: user } },
});

export const updateMe = operation({
  id: 'updateMe',
  summary: 'Change the own account',
  tag,
  body: z.strictObject({ name: name.optional() }),
  answers: { 200: { description: 'The account as it is now', body: user } },
});

export const deleteMe = operation({
  id: 'deleteMe',
  summary: 'Delete the own account',
  description: 'Erases personal data in the whole shop and ends all sessions. Orders stay, without a name.',
  tag,
  answers: { 204: { description: 'The account is gone' } },
});

export const changePassword = operation({
  id: 'changePassword',
  summary: 'Set a new password',
  description: 'Ends all other sessions.',
  tag,
  body: z.strictObject({ currentPassword: password, newPassword }),
  answers: { 204: { description: 'The new password counts' } },
  errors: ['invalid_credentials', 'too_many_attempts'],
});

export const listSessions = operation({
  id: 'listSessions',
  summary: 'Own sessions, newest first',
  tag,
  query: z.strictObject(pageQuery),
  answers: { 200: { description: 'A page of live sessions', body: pageOf(session) } },
  errors: ['invalid_cursor'],
});

export const endSession = operation({
  id: 'endSession',
  summary: 'End one of the own sessions',
  description: 'Its access tokens are refused everywhere within seconds.',
  tag,
  params: idParams,
  answers: { 204: { description: 'The session is over' } },
  errors: ['not_found'],
});

export const listAddresses = operation({
  id: 'listAddresses',
  summary: 'Own address book, oldest first',
  tag,
  query: z.strictObject(pageQuery),
  answers: { 200: { description: 'A page of addresses', body: pageOf(address) } },
  errors: ['invalid_cursor'],
});

export const addAddress = operation({
  id: 'addAddress',
  summary: 'Add an address',
  description: 'An address book holds at most 50 addresses.',
  tag,
  body: addressInput,
  answers: { 201: { description: 'The address with its id', body: address } },
  errors: ['address_book_full'],
});

export const replaceAddress = operation({
  id: 'replaceAddress',
  summary: 'Replace an address',
  tag,
  params: idParams,
  body: addressInput,
  answers: { 200: { description: 'The address as it is now', body: address } },
  errors: ['not_found'],
});

export const deleteAddress = operation({
  id: 'deleteAddress',
  summary: 'Delete an address',
  tag,
  params: idParams,
  answers: { 204: { description: 'The address is gone' } },
  errors: ['not_found'],
});
