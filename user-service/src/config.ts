import { integer, secretSetting } from '@tradepost/shared/config';
import { z } from 'zod';
import { isEmail, normaliseEmail } from './domain/email.ts';
import { maxPasswordLength, minPasswordLength } from './domain/password.ts';

/** Settings of user-service beside the common and the database ones. */
export const settings = {
  /** Encrypts the private signing keys in the database; the same for all instances, and it must not be lost. */
  TOKEN_KEY_SECRET: secretSetting,
  /** The first administrator, made at the start unless the address has an account; both or neither. */
  ADMIN_EMAIL: z.string().transform(normaliseEmail).refine(isEmail, 'must be an email address').optional(),
  ADMIN_PASSWORD: z
    .string()
    .min(minPasswordLength, `must have at least ${minPasswordLength} characters`)
    .max(maxPasswordLength, `must have at most ${maxPasswordLength} characters`)
    .optional(),
  /** Milliseconds in which a client may repeat a refresh whose answer it lost. */
  REFRESH_REUSE_LEEWAY_MS: integer(0, 60_000, 0),
  /** argon2id: KiB of memory and passes; the defaults are OWASP's minimum (Password Storage Cheat Sheet). */
  PASSWORD_HASH_MEMORY_KIB: integer(19_456, 1_048_576, 19_456),
  PASSWORD_HASH_PASSES: integer(2, 10, 2),
};

/** What `loadConfig` makes of the settings. Tests hand in cheaper hashing than the environment may ask for. */
export type UserConfig = z.infer<z.ZodObject<typeof settings>>;
