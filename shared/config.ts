import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ServiceName } from './discovery.ts';
import { hasKnownPassword, isKnownDefault } from './knownSecrets.ts';

/** The environment does not fit: the message has one line per wrong setting, without its value. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks settings. A setting may also come from a file: `NAME_FILE` holds the path (container secrets). An
 * empty value counts as absent.
 * @throws ConfigError that names every setting which is missing or wrong
 */
export function loadConfig<S extends z.ZodRawShape>(shape: S, environment: Environment): z.infer<z.ZodObject<S>> {
  const schema = z.object(shape);
  const given: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const file = environment[`${name}_FILE`];
    const value = file ? readSecret(name, file) : environment[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data as z.infer<z.ZodObject<S>>;
  throw new ConfigError(
    result.error.issues
      .map(
        issue =>
          `${issue.path.join('.')}: ${given[String(issue.path[0])] === undefined ? 'is not set' : issue.message}`,
      )
      .join('\n'),
  );
}

function readSecret(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new ConfigError(`${name}_FILE: ${file} cannot be read`);
  }
}

const whole = (message: string) =>
  z
    .string()
    .regex(/^\d{1,12}$/, message)
    .transform(Number);

/** A whole number with limits and a default. */
export const integer = (minimum: number, maximum: number, byDefault: number) =>
  whole(`must be a whole number from ${minimum} to ${maximum}`)
    .pipe(z.int().min(minimum, `must be at least ${minimum}`).max(maximum, `must be at most ${maximum}`))
    .default(byDefault);

/** `true` or `false`. */
export const flag = (byDefault: boolean) =>
  z
    .enum(['true', 'false'], 'must be true or false')
    .transform(value => value === 'true')
    .default(byDefault);

const remedy = 'npm run init-secrets makes one';

/** A secret: at least 32 characters, and none of those that stand in manuals. */
export const secretSetting = z
  .string()
  .min(32, { error: 'must have at least 32 characters', abort: true })
  .refine(value => !isKnownDefault(value), `is a known default; ${remedy}`);

/** The address of a server, or those of a cluster's separated by commas, which may hold passwords. */
const serverAddress = (pattern: RegExp, message: string) =>
  z
    .string()
    .regex(pattern, { error: message, abort: true })
    .refine(
      value => !value.split(/,\s*(?=[a-z+]+:\/\/)/).some(hasKnownPassword),
      `has a known default as password; ${remedy}`,
    );

/** One address of a broker, or several of the same cluster. */
export const brokerAddresses = /^amqps?:\/\/[^\s,]+(,\s*amqps?:\/\/[^\s,]+)*$/;

const addresses = z
  .string()
  .transform(value => value.split(',').map(part => part.trim().replace(/\/$/, '')))
  .pipe(z.array(z.url({ protocol: /^https?$/, error: 'must be http addresses separated by commas' })).min(1));

/** On how many nodes of the broker each queue is kept when it is first declared; 0 leaves that to the broker. */
export const quorumSize = integer(0, 15, 0);

/** Settings that every service has. */
export const commonSettings = {
  HOST: z.string().default('0.0.0.0'),
  PORT: integer(0, 65535, 3000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  SERVICE_TOKEN_SECRET: secretSetting,
  /** One address, or those of the nodes of a cluster separated by commas. */
  RABBITMQ_URL: serverAddress(brokerAddresses, 'must begin with amqp://, also each of several addresses'),
  RABBITMQ_QUORUM_SIZE: quorumSize,
  /** Where instances find each other; fixed addresses are used without it. */
  CONSUL_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Host name or address under which others reach this instance; needed with CONSUL_URL. */
  ADVERTISE_HOST: z.string().optional(),
  /**
   * Milliseconds between two looks at the names in the following addresses, of which each address in DNS is an instance;
   * with 0 a name is one instance.
   */
  DNS_REFRESH_MS: integer(0, 600_000, 0),
  USER_SERVICE_URL: addresses.optional(),
  PRODUCT_SERVICE_URL: addresses.optional(),
  INVENTORY_SERVICE_URL: addresses.optional(),
  ORDER_SERVICE_URL: addresses.optional(),
  PAYMENT_SERVICE_URL: addresses.optional(),
};

/** A service's own database. */
export const databaseSettings = {
  MONGODB_URI: serverAddress(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb://'),
};

/** The static addresses among the settings. */
export function staticAddresses(config: {
  USER_SERVICE_URL?: string[] | undefined;
  PRODUCT_SERVICE_URL?: string[] | undefined;
  INVENTORY_SERVICE_URL?: string[] | undefined;
  ORDER_SERVICE_URL?: string[] | undefined;
  PAYMENT_SERVICE_URL?: string[] | undefined;
}): Record<ServiceName, string[]> {
  return {
    'user-service': config.USER_SERVICE_URL ?? [],
    'product-service': config.PRODUCT_SERVICE_URL ?? [],
    'inventory-service': config.INVENTORY_SERVICE_URL ?? [],
    'order-service': config.ORDER_SERVICE_URL ?? [],
    'payment-service': config.PAYMENT_SERVICE_URL ?? [],
  };
}
