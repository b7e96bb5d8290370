import { addressFields } from '@tradepost/shared/address';
import { id, text, timestamp } from '@tradepost/shared/http/schemas';
import { z } from 'zod';
import { isEmail, maxEmailLength, normaliseEmail } from '../domain/email.ts';
import { maxPasswordLength, minPasswordLength, passwordProblem } from '../domain/password.ts';

/** An address in any spelling, turned into the one that is stored. */
export const email = z
  .string()
  .max(maxEmailLength)
  .meta({ format: 'idn-email', example: 'ada@example.com' })
  .transform(normaliseEmail)
  .refine(isEmail, 'must be an email address');

export const name = text(200).meta({ description: 'What to call the user', example: 'Ada Lovelace' });

export const role = z.enum(['customer', 'admin']);

/** A password that someone chooses. */
export const newPassword = z
  .string()
  .superRefine((value, context) => {
    const message = passwordProblem(value);
    if (message) context.addIssue({ code: 'custom', message });
  })
  .meta({
    format: 'password',
    minLength: minPasswordLength,
    maxLength: maxPasswordLength,
    description: 'Any characters, but none of the most common passwords',
    example: 'correct horse battery staple',
  });

/** A password that someone claims is theirs; whether it could be one shows when it is compared. */
export const password = z
  .string()
  .min(1)
  .max(1_000)
  .refine(value => value.isWellFormed(), 'must be well-formed Unicode')
  .meta({ format: 'password', example: 'correct horse battery staple' });

export const refreshToken = z
  .string()
  .min(1)
  .max(256)
  .meta({ description: 'Opaque; good for one refresh', example: 'Q2hhbmdlIG1lIGZvciB0aGUgb25lIHRoYXQgeW91IGhhdmU' });

export const addressInput = z.strictObject(addressFields).meta({ id: 'AddressInput' });

export const address = z.strictObject({ id, ...addressFields }).meta({ id: 'Address' });

export const user = z
  .strictObject({ id, email: z.string().meta({ example: 'ada@example.com' }), name, role, createdAt: timestamp })
  .meta({ id: 'User' });

const tokenFields = {
  accessToken: z.string().meta({ description: 'JSON Web Token for the Authorization header' }),
  refreshToken,
  expiresIn: z.int().positive().meta({ description: 'Seconds that the access token lives', example: 900 }),
};

export const tokens = z.strictObject(tokenFields).meta({ id: 'Tokens' });

export const signedIn = z.strictObject({ user, ...tokenFields }).meta({ id: 'SignedIn' });

export const session = z
  .strictObject({
    id,
    current: z.boolean().meta({ description: 'Whether it is the session of the access token that asks' }),
    userAgent: z.string().nullable().meta({ description: 'User-Agent of the sign-in' }),
    createdAt: timestamp,
    refreshedAt: timestamp,
    expiresAt: timestamp,
  })
  .meta({ id: 'Session' });
