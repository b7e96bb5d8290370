import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** A secret as it is stored: AES-256-GCM, all parts in base64. */
export interface Sealed {
  salt: string;
  nonce: string;
  ciphertext: string;
  tag: string;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const saltBytes = 16;

const keyOf = (secret: string, salt: Buffer) =>
  Buffer.from(hkdfSync('sha256', secret, salt, 'tradepost signing key', 32));

/**
 * Encrypts text under a key derived from `secret` (HKDF, RFC 5869).
 * @param label what the text belongs to; it cannot be opened under another one
 */
export function seal(text: string, secret: string, label: string): Sealed {
  const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)];
  const cipher = createCipheriv(algorithm, keyOf(secret, salt), nonce).setAAD(Buffer.from(label));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return {
    salt: salt.toString('base64'),
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/**
 * Decrypts what `seal` made.
 * @throws Error when secret or label are others, or the stored parts were changed
 */
export function unseal(sealed: Sealed, secret: string, label: string): string {
  const bytes = (part: string) => Buffer.from(part, 'base64');
  const decipher = createDecipheriv(algorithm, keyOf(secret, bytes(sealed.salt)), bytes(sealed.nonce), {
    authTagLength: 16,
  })
    .setAAD(Buffer.from(label))
    .setAuthTag(bytes(sealed.tag));
  return Buffer.concat([decipher.update(bytes(sealed.ciphertext)), decipher.final()]).toString('utf8');
}
