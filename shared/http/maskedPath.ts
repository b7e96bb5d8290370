const id = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const maxParts = 12;
const mask = '[redacted]';

/**
 * How paths are logged: the words of known paths and ids (UUIDs) as they are, all else masked, since a client may put
 * anything into a path: an address, a token, a name.
 * @param templates paths of routes, as `/api/orders/:id` or `/api/orders/{id}`
 */
export function createPathMask(templates: readonly string[]): (path: string) => string {
  const words = new Set(templates.flatMap(template => template.split('/')).filter(word => !/^[:{]/.test(word)));
  words.add('');
  return path => {
    const parts = path.split('/', maxParts + 1);
    const shown = parts.slice(0, maxParts).map(part => (words.has(part) || id.test(part) ? part : mask));
    return (parts.length > maxParts ? [...shown, '…'] : shown).join('/');
  };
}
