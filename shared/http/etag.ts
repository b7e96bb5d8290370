/** Whether an If-None-Match header names the tag (weak comparison, RFC 9110 section 13.1.2). */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  const opaque = (value: string) => value.trim().replace(/^W\//, '');
  return ifNoneMatch?.split(',').some(part => part.trim() === '*' || opaque(part) === opaque(tag)) ?? false;
}
