/** Milliseconds for which a good token is not checked again; short, because a key may be withdrawn meanwhile. */
const rememberMs = 60_000;
const capacity = 10_000;

/**
 * Remembers what good tokens say, because checking an ES256 signature costs more than most requests. Bad tokens are
 * checked each time. Whether a session has ended since is for the caller to ask each time.
 * @param claimsOf checks a token and throws for a bad one; `exp` in seconds since the epoch
 * @param now milliseconds since the epoch
 */
export function rememberVerified<Claims extends { exp: number }>(
  claimsOf: (token: string) => Promise<Claims>,
  now: () => number = Date.now,
): (token: string) => Promise<Claims> {
  const known = new Map<string, { claims: Claims; until: number }>();
  return async token => {
    const entry = known.get(token);
    if (entry && entry.until > now()) return entry.claims;
    known.delete(token);
    const claims = await claimsOf(token);
    known.set(token, { claims, until: Math.min(claims.exp * 1000, now() + rememberMs) });
    if (known.size > capacity) known.delete(known.keys().next().value as string);
    return claims;
  };
}
