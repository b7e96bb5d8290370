/** What decides when a key signs and how long it is published. */
export interface KeyTimes {
  activeFrom: Date;
}

/**
 * Milliseconds that a new key is published before it signs: longer than JWKS answers may be cached, so that nobody meets
 * a token whose key they could not know.
 */
export const publishBeforeMs = 10 * 60_000;
/** Seconds for which the key set may be cached. */
export const keySetMaxAgeSeconds = 300;

/**
 * The key that signs at `now`: of those already active the one that became so last. The very first key signs also where
 * the clock is behind that of the instance which made it.
 */
export function signingKeyAt<Key extends KeyTimes>(keys: readonly Key[], now: Date): Key | undefined {
  const ordered = byActivation(keys);
  return ordered.findLast(key => key.activeFrom <= now) ?? ordered[0];
}

/**
 * The keys to publish at `now`: all but those whose tokens have all expired. A key's last token is made when its
 * successor becomes active, or a little later by an instance that has not read the new key yet.
 * @param tokenMs life of an access token
 * @param slackMs how late an instance may switch, with differences between clocks
 */
export function publishedKeysAt<Key extends KeyTimes>(
  keys: readonly Key[],
  now: Date,
  tokenMs: number,
  slackMs: number,
): Key[] {
  const ordered = byActivation(keys);
  return ordered.filter((_, index) => {
    const successor = ordered[index + 1];
    return !successor || successor.activeFrom.getTime() + tokenMs + slackMs > now.getTime();
  });
}

function byActivation<Key extends KeyTimes>(keys: readonly Key[]): Key[] {
  return keys.toSorted((a, b) => a.activeFrom.getTime() - b.activeFrom.getTime());
}
