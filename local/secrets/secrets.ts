import { randomBytes } from 'node:crypto';
import { serviceNames } from '@tradepost/shared/discovery';
import { isKnownDefault } from '@tradepost/shared/knownSecrets';
import { StartError } from '@tradepost/shared/lifecycle';

/** One secret of the shop in containers. */
export interface SecretKind {
  /** Also the name of its file. */
  name: string;
  /** Fewest characters that are accepted. */
  atLeast: number;
  /** Undefined for what only the outside world can give. */
  make: (() => string) | undefined;
  /** Who stored something under it keeps to it: a new value has to be told to them first. */
  isRemembered: boolean;
}

const password = () => randomBytes(24).toString('base64url');
const key = () => randomBytes(32).toString('hex');

const made = (name: string, make: () => string, isRemembered: boolean, atLeast: number): SecretKind => ({
  ...{ name, make, isRemembered, atLeast },
});

/** Name of the secret with which a service opens its database, and of the one of the database's own administrator. */
export const databasePassword = (service: string): string => `${service}-db-password`;
export const databaseRootPassword = (service: string): string => `${service}-db-root-password`;

/** All secrets, as `docker/secrets` may hold them. */
export const secretKinds: readonly SecretKind[] = [
  made('service-token-secret', key, false, 32),
  made('token-key-secret', key, true, 32),
  made('rabbitmq-password', password, true, 16),
  ...serviceNames.flatMap(name => [
    made(databasePassword(name), password, true, 16),
    made(databaseRootPassword(name), password, true, 16),
  ]),
  made('grafana-admin-password', password, true, 8),
  made('admin-email', () => 'admin@tradepost.example', false, 3),
  made('admin-password', () => randomBytes(12).toString('base64url'), false, 10),
  { name: 'stripe-api-key', make: undefined, isRemembered: false, atLeast: 1 },
  { name: 'stripe-webhook-secret', make: undefined, isRemembered: false, atLeast: 1 },
  // Where several gateways count their requests together; its address may hold a password.
  { name: 'redis-url', make: undefined, isRemembered: false, atLeast: 1 },
];

/** The broker's password stands in a file of settings, and others may be typed into a shell. */
const plain = /^[\w.~-]+$/;

/**
 * Says what is wrong with a secret that somebody gave, or undefined. An answer never shows the secret.
 */
export function faultOf(kind: SecretKind, value: string): string | undefined {
  if (value.length < kind.atLeast) return `${kind.name}: must have at least ${kind.atLeast} characters`;
  if (kind.isRemembered && !plain.test(value)) return `${kind.name}: may have letters, digits and -._~ only`;
  if (isKnownDefault(value)) return `${kind.name}: is a known default`;
  return undefined;
}

/** @throws StartError that names every secret which is not fit, one a line */
export function checkSecrets(given: ReadonlyMap<string, string>): void {
  const faults = secretKinds.flatMap(kind => {
    const value = given.get(kind.name);
    return value === undefined ? [] : (faultOf(kind, value) ?? []);
  });
  if (faults.length > 0) throw new StartError(faults.join('\n'));
}
