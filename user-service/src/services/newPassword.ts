import { AppError } from '@tradepost/shared/errors';
import { isCommonPassword } from '../domain/password.ts';

/**
 * Refuses a new password that everybody tries first.
 * @param path the field to name
 * @throws AppError `invalid_request`
 */
export type CheckNewPassword = (password: string, path: string) => void;

export function createNewPasswordCheck(common: ReadonlySet<string>): CheckNewPassword {
  return (password, path) => {
    if (!isCommonPassword(password, common)) return;
    throw new AppError('invalid_request', { errors: [{ path, message: 'is one of the most common passwords' }] });
  };
}
