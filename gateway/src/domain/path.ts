const plain = /^(?:\/[\w\-.~!$&'()*+,;=:@]+)*\/?$/;

/**
 * Whether every server reads a path the same way: whole segments, none empty but the last, no dot segments, nothing
 * that turns into a slash, a dot segment, a control character or another escape when it is decoded.
 * @param path without query, as it was sent
 */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/')) return false;
  if (plain.test(path)) return !/\/\.{1,2}(?:[/;]|$)/.test(path);
  const segments = path.slice(1).split('/');
  if (segments.at(-1) === '' && segments.length > 1) segments.pop();
  return segments.every(isPlainSegment);
}

function isPlainSegment(segment: string): boolean {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    return false;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return decoded !== '' && !/^\.{1,2}(?:;|$)|[/\\%?#\u0000-\u001f\u007f]/.test(decoded);
}
