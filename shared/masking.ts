/** Names of fields, in lower case, whose values are secrets or tell who somebody is. */
const secrets = new Set([
  'password',
  'currentpassword',
  'newpassword',
  'token',
  'accesstoken',
  'refreshtoken',
  'authorization',
  'cookie',
  'set-cookie',
  'secret',
  'apikey',
  'email',
  'phone',
  'address',
  'shippingaddress',
  'line1',
  'line2',
  'city',
  'region',
  'postcode',
  'signature',
  'stripe-signature',
]);
const mask = '[redacted]';
const maxDepth = 6;

/**
 * The same fields without secrets and personal data: values of telling names are masked at any depth, in whatever case
 * the name is written. What is deeper than anybody logs on purpose is left out. Objects without such fields are
 * answered as they are, so a line that has none costs no copy.
 */
export const masked = <Fields extends object>(fields: Fields): Fields => maskedValue(fields, 0) as Fields;

function maskedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return mayTell.test(value) ? maskedText(value) : value;
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value;
  if (depth === maxDepth) return '[deep]';
  let copy: Record<string, unknown> | undefined;
  for (const [name, inner] of Object.entries(value)) {
    const safe = secrets.has(name.toLowerCase()) && inner !== undefined ? mask : maskedValue(inner, depth + 1);
    if (safe === inner) continue;
    copy ??= Array.isArray(value) ? ([...value] as never) : { ...value };
    (copy as Record<string, unknown>)[name] = safe;
  }
  return copy ?? value;
}

/** A quick look whether a text needs a longer one. */
const mayTell = /@|eyJ|Bearer|tok_/;
const mail = /[^\s@"'`<>/:(){}[\],]+@[^\s@"'`<>/:(){}[\],]+\.[a-z]{2,}/gi;
/** User and password in front of a host. */
const userInfo = /\/\/[^\s/@]+@/g;
/** Tokens by which somebody may act or pay: JWTs, whatever follows `Bearer`, the simulated provider's and Stripe's. */
const token = /\beyJ[\w-]+\.[\w-]*\.?[\w-]*|\bBearer\s+[^\s"']+|\b(tok|sk|pm|whsec)_\w+/g;

/** A text, as that of an error, without e-mail addresses, passwords in addresses and tokens that it may quote. */
export const maskedText = (text: string | undefined): string | undefined =>
  text?.replace(userInfo, `//${mask}@`).replace(mail, mask).replace(token, mask);
