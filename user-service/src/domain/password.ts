export const minPasswordLength = 10;
export const maxPasswordLength = 128;

/**
 * The form of a password that is hashed: Unicode NFC, as NIST SP 800-63B section 3.1.1.2 advises, so that the same
 * characters typed on another keyboard are the same password. Nothing is trimmed, folded or cut.
 */
export function normalisePassword(password: string): string {
  return password.normalize('NFC');
}

/**
 * Why a new password cannot be one; undefined when its form is good. Length is counted in Unicode code points, and no
 * kind of character is demanded (ASVS 5.0, 6.2.5).
 */
export function passwordProblem(password: string): string | undefined {
  if (!password.isWellFormed()) return 'must be well-formed Unicode';
  const length = [...normalisePassword(password)].length;
  if (length < minPasswordLength) return `must have at least ${minPasswordLength} characters`;
  if (length > maxPasswordLength) return `must have at most ${maxPasswordLength} characters`;
  return undefined;
}

/**
 * Whether everybody tries this password first, however it is capitalised.
 * @param common such passwords in lower case
 */
export function isCommonPassword(password: string, common: ReadonlySet<string>): boolean {
  return common.has(normalisePassword(password).toLowerCase());
}
