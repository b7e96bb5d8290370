import { brokerAddresses, type Environment, flag, integer, loadConfig, quorumSize } from '@tradepost/shared/config';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';

/** What `npm start` can be told by the environment and its arguments. */
export interface ShopSettings {
  /** The services take the next five ports, the gateway's metrics +6, the store +7. 0: any free ports. */
  gatewayPort: number;
  /** Folder of everything that outlives the process; undefined keeps nothing. */
  dataDir: string | undefined;
  /** Whether the first start fills an empty catalogue. */
  seedDemo: boolean;
  /** The first administrator; made up when undefined. */
  admin: AdminCredentials | undefined;
  logLevel: string;
  /** Servers to use instead of the embedded parts. */
  mongodbUri: string | undefined;
  rabbitmqUrl: string | undefined;
  /** On how many nodes of the broker each queue is kept; 0 leaves that to the broker. */
  quorumSize: number;
  consulUrl: string | undefined;
  /** Where the services find their own settings, as ORDER_WAIT_MS. */
  environment: Environment;
}

export interface AdminCredentials {
  email: string;
  password: string;
}

const optional = (pattern: RegExp, message: string) => z.string().regex(pattern, message).optional();

/** The first administrator; both or neither. */
export const adminSettings = {
  ADMIN_EMAIL: z.email('must be an email address').optional(),
  ADMIN_PASSWORD: z
    .string()
    .min(10, 'must have at least 10 characters')
    .max(128, 'must have at most 128 characters')
    .optional(),
};

const shape = {
  GATEWAY_PORT: integer(0, 65_528, 3_000),
  DATA_DIR: z.string().default('.data'),
  SEED_DEMO: flag(true),
  ...adminSettings,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
  MONGODB_URI: optional(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb://'),
  RABBITMQ_URL: optional(brokerAddresses, 'must begin with amqp://, also each of several addresses'),
  RABBITMQ_QUORUM_SIZE: quorumSize,
  CONSUL_URL: z.url({ protocol: /^https?$/, error: 'must be an http address' }).optional(),
};

/**
 * Reads the shop's settings.
 * @param args command line arguments; `--memory` keeps no data
 * @throws ConfigError or StartError with one line per thing that is wrong
 */
export function readSettings(environment: Environment, args: readonly string[]): ShopSettings {
  const unknown = args.find(arg => arg !== '--memory');
  if (unknown !== undefined) throw new StartError(`${unknown} is not known; the only argument is --memory`);
  const config = loadConfig(shape, environment);
  if ((config.ADMIN_EMAIL === undefined) !== (config.ADMIN_PASSWORD === undefined)) {
    throw new StartError('ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither');
  }
  return {
    gatewayPort: config.GATEWAY_PORT,
    dataDir: args.includes('--memory') ? undefined : config.DATA_DIR,
    seedDemo: config.SEED_DEMO,
    admin:
      config.ADMIN_EMAIL !== undefined && config.ADMIN_PASSWORD !== undefined
        ? { email: config.ADMIN_EMAIL, password: config.ADMIN_PASSWORD }
        : undefined,
    logLevel: config.LOG_LEVEL,
    mongodbUri: config.MONGODB_URI,
    rabbitmqUrl: config.RABBITMQ_URL,
    quorumSize: config.RABBITMQ_QUORUM_SIZE,
    consulUrl: config.CONSUL_URL,
    environment,
  };
}
