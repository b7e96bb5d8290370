import type { ServiceName } from '@tradepost/shared/discovery';
import type { Secrets } from '../dataFolder.ts';
import { localHost } from '../ports.ts';
import type { AdminCredentials } from '../settings.ts';
import type { Place } from './ports.ts';
import { databaseSetting, type ProcessName, type ProcessSettings, processNames, settingPrefix } from './settings.ts';

export interface EnvironmentOptions {
  settings: ProcessSettings;
  places: readonly Place[];
  secrets: Secrets;
  admin: AdminCredentials;
  /** Ports at which others find a service instead of its own, for tests that stand between them. */
  doors?: Partial<Record<ProcessName, number>>;
}

/** The environment of one process: what the shop was given, and what only this one has to know. */
export function environmentOf(place: Place, options: EnvironmentOptions): Record<string, string | undefined> {
  const { settings, secrets, admin } = options;
  const own: Record<string, string | undefined> = {
    HOST: localHost,
    PORT: String(place.port),
    LOG_LEVEL: settings.logLevel,
    SERVICE_TOKEN_SECRET: secrets.serviceTokenSecret,
    RABBITMQ_URL: settings.rabbitmqUrl,
    ...whereOthersAre(options),
    ...databaseOf(place, settings),
    METRICS_PORT: place.metricsPort === undefined ? undefined : String(place.metricsPort),
    ...(place.service === 'user-service'
      ? { TOKEN_KEY_SECRET: secrets.tokenKeySecret, ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password }
      : { TOKEN_KEY_SECRET: undefined, ADMIN_EMAIL: undefined, ADMIN_PASSWORD: undefined }),
  };
  // Those of the others, and what would come from a file, which is already in the value.
  const hidden = [...processNames.slice(1).map(name => databaseSetting(name as ServiceName)), ...fileSettings(own)];
  return { ...settings.environment, ...Object.fromEntries(hidden.map(name => [name, undefined])), ...own };
}

function whereOthersAre({ settings, places, doors }: EnvironmentOptions): Record<string, string | undefined> {
  const addresses = processNames.slice(1).map(service => {
    const instances = places.filter(place => place.service === service);
    const value = instances.map(place => `http://${localHost}:${doors?.[service] ?? place.port}`).join(',');
    return [`${settingPrefix(service)}_URL`, settings.consulUrl ? undefined : value];
  });
  const consul = settings.consulUrl ? { CONSUL_URL: settings.consulUrl, ADVERTISE_HOST: localHost } : {};
  return { CONSUL_URL: undefined, ...consul, ...Object.fromEntries(addresses) };
}

const databaseOf = ({ service }: Place, { databases }: ProcessSettings): Record<string, string | undefined> => ({
  MONGODB_URI: service === 'gateway' ? undefined : databases[service],
});

const fileSettings = (own: object): string[] => Object.keys(own).map(name => `${name}_FILE`);
