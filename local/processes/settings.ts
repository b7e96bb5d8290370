import { parseArgs } from 'node:util';
import { type Environment, loadConfig } from '@tradepost/shared/config';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import { databaseUri } from '../infrastructure.ts';
import { readSettings, type ShopSettings } from '../settings.ts';

export const processNames = ['gateway', ...serviceNames] as const;

/** What runs as a process of its own. */
export type ProcessName = (typeof processNames)[number];

/** What `npm run services` can be told by the environment and its arguments. */
export interface ProcessSettings extends ShopSettings {
  dataDir: string;
  mongodbUri: string;
  rabbitmqUrl: string;
  /** The database of each service, on the server of MONGODB_URI unless the service has a setting of its own. */
  databases: Record<ServiceName, string>;
  /** How many instances of each there are. */
  scale: Record<ProcessName, number>;
}

const defaults = { MONGODB_URI: 'mongodb://127.0.0.1:27017', RABBITMQ_URL: 'amqp://127.0.0.1:5672' };
const mostInstances = 20;

/** The setting that names the database of one service alone, as `ORDER_SERVICE_MONGODB_URI`. */
export const databaseSetting = (name: ServiceName): string => `${settingPrefix(name)}_MONGODB_URI`;

/** `order-service` as settings spell it. */
export const settingPrefix = (name: string): string => name.toUpperCase().replaceAll('-', '_');

/**
 * Reads the settings.
 * @param args command line arguments: `--scale order-service=2,inventory-service=2`
 * @throws ConfigError or StartError with one line per thing that is wrong
 */
export function readProcessSettings(environment: Environment, args: string[]): ProcessSettings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const common = readSettings({ LOG_LEVEL: 'info', ...withoutReplaced(given) }, []);
  const [mongodbUri, rabbitmqUrl] = [common.mongodbUri ?? '', common.rabbitmqUrl ?? ''];
  const own = loadConfig(databaseShape, environment);
  const databases = Object.fromEntries(
    serviceNames.map(name => [name, own[databaseSetting(name)] ?? databaseUri(mongodbUri, name)]),
  ) as Record<ServiceName, string>;
  return { ...common, dataDir: common.dataDir ?? '', mongodbUri, rabbitmqUrl, databases, scale: readScale(args) };
}

/** The defaults, but where the environment has the setting, also by the name of a file. */
function withoutReplaced(environment: Environment): Environment {
  const missing = Object.entries(defaults).filter(([name]) => environment[`${name}_FILE`] === undefined);
  return { ...Object.fromEntries(missing), ...environment };
}

const databaseShape: Record<string, z.ZodOptional<z.ZodString>> = Object.fromEntries(
  serviceNames.map(name => [
    databaseSetting(name),
    z
      .string()
      .regex(/^mongodb(\+srv)?:\/\/[^/]+\/./, 'must begin with mongodb:// and name a database')
      .optional(),
  ]),
);

function readScale(args: string[]): Record<ProcessName, number> {
  const scale = Object.fromEntries(processNames.map(name => [name, 1])) as Record<ProcessName, number>;
  for (const part of scaleArguments(args)) {
    const [, name, count] = /^([a-z-]+)=(\d{1,3})$/.exec(part) ?? [];
    const known = processNames.find(one => one === name);
    if (!known) throw new StartError(`--scale ${part}: say NAME=COUNT, NAME one of ${processNames.join(', ')}`);
    scale[known] = Number(count);
    if (scale[known] < 1 || scale[known] > mostInstances) {
      throw new StartError(`--scale ${part}: the count is from 1 to ${mostInstances}`);
    }
  }
  return scale;
}

function scaleArguments(args: string[]): string[] {
  try {
    const { values } = parseArgs({ args, options: { scale: { type: 'string', multiple: true, default: [] } } });
    return values.scale.flatMap(value => value.split(','));
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('.')[0]}; the only argument is --scale NAME=COUNT,…`);
  }
}
