/** Longest address that can be sent to (RFC 5321 section 4.5.3.1.3, without the angle brackets). */
export const maxEmailLength = 254;

/**
 * The one spelling under which an address is stored, compared and answered: trimmed, in lower case, Unicode NFC. Two
 * spellings of one address can so never be two accounts.
 */
export function normaliseEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase().normalize('NFC');
}

/** Invisible characters, spaces and what RFC 5322 keeps for quoting are no part of an atom. */
const atom = String.raw`[^\s\p{C}@"(),:;<>[\]\\.]+`;
const label = String.raw`[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?`;
const shape = new RegExp(String.raw`^(?=[^@]{1,64}@)${atom}(?:\.${atom})*@${label}(?:\.${label})+$`, 'u');

/** Whether a normalised address has the form `local@domain.tld`, Unicode included (RFC 6531), quoted forms not. */
export function isEmail(email: string): boolean {
  return email.length <= maxEmailLength && email.isWellFormed() && shape.test(email);
}
