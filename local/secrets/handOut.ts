import { join } from 'node:path';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { StartError } from '@tradepost/shared/lifecycle';
import { readSecretFiles, writeSecretFile } from './files.ts';
import { checkSecrets, databasePassword, databaseRootPassword, secretKinds } from './secrets.ts';

export interface HandOutOptions {
  /** Folder with the secrets that the operator gave; may lack any of them, and be missing. */
  given: string;
  /** Folder that keeps those that were given or made before. */
  kept: string;
  /** Folder with a folder for every container that gets some. */
  out: string;
  /** The first administrator, when the settings name one. */
  admin?: { email: string; password: string } | undefined;
  /** Whether a secret may change that databases or the broker remember. */
  rotate: boolean;
}

/**
 * Gives every container the files with its own secrets: those of the operator, else those of before, else new ones.
 * Doing it again changes nothing.
 * @returns names of the secrets that were made now
 * @throws StartError that names every secret which is not fit or would lock the shop out of its data
 */
export function handOut(options: HandOutOptions): string[] {
  const given = readSecretFiles(options.given);
  if (options.admin) given.set('admin-email', options.admin.email).set('admin-password', options.admin.password);
  if (given.has('admin-email') !== given.has('admin-password')) {
    throw new StartError('ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither');
  }
  checkSecrets(given);
  const kept = readSecretFiles(options.kept);
  if (!options.rotate) refuseForgotten(given, kept);

  const fresh: string[] = [];
  const secrets = new Map<string, string>();
  for (const { name, make } of secretKinds) {
    const known = given.get(name) ?? kept.get(name);
    const value = known ?? make?.() ?? '';
    if (known === undefined && make) fresh.push(name);
    secrets.set(name, value);
  }
  for (const [name, value] of secrets) writeSecretFile(options.kept, name, value, 0o400);
  // Whoever the container's user is, it reads them; nobody else has the volume.
  writeContainerFiles(options.out, secrets, 0o444);
  return fresh;
}

/**
 * Writes what every container finds in /run/secrets, into a folder for each.
 * @param secrets by name; one that is missing is written empty
 * @param mode permissions of the files
 * @throws StartError when one cannot be written
 */
export function writeContainerFiles(folder: string, secrets: ReadonlyMap<string, string>, mode: number): void {
  for (const [owner, files] of Object.entries(filesOf(name => secrets.get(name) ?? ''))) {
    for (const [name, value] of Object.entries(files)) writeSecretFile(join(folder, owner), name, value, mode);
  }
}

function refuseForgotten(given: ReadonlyMap<string, string>, kept: ReadonlyMap<string, string>): void {
  const changed = secretKinds.filter(({ name, isRemembered }) => {
    const [now, before] = [given.get(name), kept.get(name)];
    return isRemembered && now !== undefined && before !== undefined && now !== before;
  });
  if (changed.length === 0) return;
  throw new StartError(
    `${changed.map(kind => kind.name).join(', ')}: not the one with which the data of this shop was made. ` +
      'docs/operations.md says how to change it; ROTATE_SECRETS=true takes it as it is',
  );
}

/** What every container finds, by the name of its volume. */
function filesOf(secret: (name: string) => string): Record<string, Record<string, string>> {
  const common = {
    'service-token-secret': secret('service-token-secret'),
    'rabbitmq-url': `amqp://tradepost:${encodeURIComponent(secret('rabbitmq-password'))}@rabbitmq:5672`,
  };
  const admin = { 'admin-email': secret('admin-email'), 'admin-password': secret('admin-password') };
  const own: Partial<Record<ServiceName, Record<string, string>>> = {
    'user-service': { 'token-key-secret': secret('token-key-secret'), ...admin },
    'payment-service': {
      'stripe-api-key': secret('stripe-api-key'),
      'stripe-webhook-secret': secret('stripe-webhook-secret'),
    },
  };
  const services = serviceNames.map(name => {
    const files = { ...common, ...own[name], 'mongodb-uri': mongodbUri(name, secret(databasePassword(name))) };
    return [name, files] as const;
  });
  const databases = serviceNames.map(name => {
    const files = { password: secret(databasePassword(name)), 'root-password': secret(databaseRootPassword(name)) };
    return [databaseOf(name).host, files] as const;
  });
  return {
    gateway: { ...common, 'redis-url': secret('redis-url') },
    ...Object.fromEntries([...services, ...databases]),
    rabbitmq: { 'user.conf': `default_user = tradepost\ndefault_pass = ${secret('rabbitmq-password')}` },
    grafana: { 'admin-password': secret('grafana-admin-password') },
    admin,
  };
}

/** `order-service` → the server `order-db` and on it the database `order`. */
function databaseOf(service: ServiceName): { host: string; name: string } {
  const name = service.replace(/-service$/, '');
  return { host: `${name}-db`, name };
}

function mongodbUri(service: ServiceName, password: string): string {
  const { host, name } = databaseOf(service);
  return `mongodb://tradepost:${encodeURIComponent(password)}@${host}:27017/${name}`;
}
