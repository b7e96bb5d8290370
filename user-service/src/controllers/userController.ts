import type { RevocationsAnswer } from '@tradepost/shared/contracts/users';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import type * as operations from '../routes/userOperations.ts';
import type { AddressBook } from '../services/addressBook.ts';
import type { UserDirectory } from '../services/userDirectory.ts';

export interface UserControllerDependencies {
  directory: Pick<UserDirectory, 'list' | 'find' | 'changeRole'>;
  addressBook: Pick<AddressBook, 'find'>;
  listRevocations(): Promise<RevocationsAnswer>;
}

type Operations = typeof operations;
type Controllers = { [Name in keyof Operations]: ControllerOf<Operations[Name]> };

/** Accounts by id, and what other services ask. */
export function createUserController(dependencies: UserControllerDependencies): Controllers {
  const { directory, addressBook, listRevocations } = dependencies;
  return {
    listUsers: async ({ query }) => reply(200, await directory.list(query)),
    getUser: async ({ params }) => reply(200, await directory.find(params.id)),
    changeRole: async ({ params, body }) => reply(200, await directory.changeRole(params.id, body.role)),
    getAddress: async ({ params }) => reply(200, await addressBook.find(params.userId, params.addressId)),
    listRevocations: async () => reply(200, await listRevocations()),
  };
}
