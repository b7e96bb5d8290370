import type { Logger } from '@tradepost/shared/logger';
import { isCommonPassword } from '../domain/password.ts';
import type { CreateUser } from './registerUser.ts';

export interface EnsureAdminDependencies {
  createUser: CreateUser;
  commonPasswords: ReadonlySet<string>;
  logger: Logger;
}

/**
 * Makes the first administrator. An account that has the address is left as it is: its password and role are its own by
 * then. Instances that start together make one.
 */
export function createEnsureAdmin({ createUser, commonPasswords, logger }: EnsureAdminDependencies) {
  return async (admin: { email: string; password: string }): Promise<void> => {
    if (isCommonPassword(admin.password, commonPasswords)) {
      logger.warn('ADMIN_PASSWORD is one of the most common passwords');
    }
    const made = await createUser({ ...admin, name: 'Administrator' }, 'admin');
    if (made) logger.info({ userId: made._id }, 'made the first administrator');
  };
}
