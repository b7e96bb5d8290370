import { type ControllerOf, reply, userOf } from '@tradepost/shared/http/route';
import type * as operations from '../routes/accountOperations.ts';
import type { AddressBook } from '../services/addressBook.ts';
import type { PasswordChange } from '../services/changePassword.ts';
import type { Sessions } from '../services/sessions.ts';
import type { UserDirectory } from '../services/userDirectory.ts';

export interface AccountControllerDependencies {
  directory: Pick<UserDirectory, 'own' | 'rename'>;
  sessions: Pick<Sessions, 'list' | 'end'>;
  addressBook: AddressBook;
  changePassword(change: PasswordChange): Promise<void>;
  deleteAccount(userId: string): Promise<void>;
}

type Operations = typeof operations;
type Controllers = { [Name in keyof Operations]: ControllerOf<Operations[Name]> };

/** Everything under `/api/users/me`. */
export function createAccountController(dependencies: AccountControllerDependencies): Controllers {
  const { directory, sessions, addressBook, changePassword, deleteAccount } = dependencies;
  return {
    getMe: async request => reply(200, await directory.own(userOf(request).id)),
    updateMe: async request => reply(200, await directory.rename(userOf(request).id, request.body.name)),
    deleteMe: async request => {
      await deleteAccount(userOf(request).id);
      return reply(204);
    },
    changePassword: async request => {
      const { id: userId, sessionId = '' } = userOf(request);
      await changePassword({ userId, sessionId, ...request.body });
      return reply(204);
    },
    listSessions: async request => {
      const { id, sessionId } = userOf(request);
      return reply(200, await sessions.list(id, sessionId, request.query));
    },
    endSession: async request => {
      await sessions.end(userOf(request).id, request.params.id);
      return reply(204);
    },
    listAddresses: async request => reply(200, await addressBook.list(userOf(request).id, request.query)),
    addAddress: async request => reply(201, await addressBook.add(userOf(request).id, request.body)),
    replaceAddress: async request =>
      reply(200, await addressBook.replace(userOf(request).id, request.params.id, request.body)),
    deleteAddress: async request => {
      await addressBook.remove(userOf(request).id, request.params.id);
      return reply(204);
    },
  };
}
