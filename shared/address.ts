import { z } from 'zod';
import { isCountryCode } from './countries.ts';
import { text } from './http/schemas.ts';

/** A postal address as clients send it. */
export const addressFields = {
  name: text(200).meta({ example: 'Ada Lovelace' }),
  line1: text(200).meta({ example: '12 Mill Lane' }),
  line2: text(200).optional().meta({ example: 'Flat 3' }),
  city: text(100).meta({ example: 'York' }),
  region: text(100).optional().meta({ example: 'North Yorkshire' }),
  postcode: text(20).meta({ example: 'YO1 7HH' }),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'must be an ISO 3166-1 alpha-2 code', abort: true })
    .refine(isCountryCode, 'is not the code of a country')
    .meta({ example: 'GB' }),
  phone: text(40).optional().meta({ example: '+44 1904 555 0100' }),
};

export const postalAddress = z.strictObject(addressFields).meta({ id: 'PostalAddress' });

export type PostalAddress = z.infer<typeof postalAddress>;
