/** Secrets and passwords that stand in examples and manuals, so that everybody knows them. */
const known = new Set([
  ...['admin', 'admin123', 'administrator', 'administrator1', 'changeit', 'changeme', 'changeme123', 'changemenow'],
  ...['default', 'example', 'guest', 'letmein', 'mongo', 'mongodb', 'mypassword', 'mysecret', 'none', 'null', 'pass'],
  ...['passw0rd', 'password', 'password1', 'password12', 'password123', 'password1234', 'qwerty', 'rabbitmq', 'root'],
  ...['secret', 'supersecret', 'test', 'todo', 'tradepost', 'undefined', 'user', '123456', '12345678', '1234567890'],
]);
const marks =
  /changeme|changethis|replaceme|replacethis|placeholder|yoursecret|examplesecret|defaultsecret|supersecret/;
const longestUnit = 10;

/**
 * Whether a secret is one that somebody forgot to replace: a word of manuals, a text that asks to be changed, or a short
 * text repeated. Capitals and punctuation make no difference.
 */
export function isKnownDefault(secret: string): boolean {
  const plain = secret.toLowerCase().replace(/[^a-z\d]/g, '');
  if (known.has(plain) || marks.test(plain)) return true;
  for (let unit = 1; unit <= longestUnit && unit * 2 <= plain.length; unit += 1) {
    if (plain === plain.slice(0, unit).repeat(plain.length).slice(0, plain.length)) return true;
  }
  return false;
}

const ownMachine = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Whether the password in the address of a server is a known default. On this machine itself, where a developer's server
 * has such a one, it is not asked about.
 */
export function hasKnownPassword(address: string): boolean {
  const [, authority = ''] = /^[a-z+]+:\/\/([^/?#]*)/i.exec(address) ?? [];
  const at = authority.lastIndexOf('@');
  const [hosts, credentials] = [authority.slice(at + 1), at < 0 ? '' : authority.slice(0, at)];
  const colon = credentials.indexOf(':');
  if (colon < 0 || hosts.split(',').every(host => ownMachine.test(host.replace(/:\d+$/, '')))) return false;
  return isKnownDefault(decoded(credentials.slice(colon + 1)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
