import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { databaseSetting, type ProcessName, processNames } from '@tradepost/local/processes/settings';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { connect } from 'amqplib';
import { type RealShop, startRealShop } from '../../tests/real/realShop.ts';
import { startRabbit } from '../../tests/real/servers.ts';
import { type MeasuredDatabase, startDatabase } from './database.ts';
import { type Door, openDoor } from './doors.ts';

/** A shop all of whose parts can be told apart: a process and a database for each service, and doors that count bytes. */
export interface MeasuredShop {
  /** Where customers come in. */
  url: string;
  shop: RealShop;
  databases: Record<ServiceName, MeasuredDatabase>;
  /** In front of each process. */
  doors: Record<ProcessName, Door>;
  brokerDoor: Door;
  brokerPid: number;
  brokerVersion: string;
  serviceTokenSecret: string;
  stop(): Promise<void>;
}

/** No request is refused for its number; memory and log are those of the shop in containers. */
const settings = {
  AUTH_RATE_LIMIT: '100000000',
  RATE_LIMIT_PER_MINUTE: '100000000',
  LOG_LEVEL: 'info',
  NODE_OPTIONS: '--max-old-space-size=160',
};

/**
 * Six processes, a replica set of one member for each service and one broker, with the times of a real shop.
 * @param inventories instances of inventory-service; with more than one its door stands before the first alone
 * @throws Error when MONGOD_BIN or RABBITMQ_SERVER_BIN is not set
 */
export async function startMeasuredShop(inventories = 1): Promise<MeasuredShop> {
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closing.reverse()) await close();
  };
  const kept = <T>(one: T, close: () => Promise<unknown>): T => {
    closing.push(close);
    return one;
  };
  try {
    const before = new Set(beamPids());
    const rabbit = await startRabbit();
    kept(rabbit, rabbit.close);
    const brokerPid = beamPids().find(pid => !before.has(pid));
    if (brokerPid === undefined) throw new Error('the process of RabbitMQ was not found');
    const brokerVersion = await versionOf(rabbit.url);
    const brokerDoor = await openDoor(Number(new URL(rabbit.url).port));
    kept(brokerDoor, brokerDoor.close);
    const databases = {} as Record<ServiceName, MeasuredDatabase>;
    for (const name of serviceNames) {
      databases[name] = await startDatabase();
      closing.push(databases[name].close);
    }
    const doors = {} as Record<ProcessName, Door>;
    const serviceTokenSecret = randomBytes(32).toString('hex');
    const shop = await startRealShop({
      mongodbUri: 'mongodb://127.0.0.1:9',
      rabbitmqUrl: `amqp://127.0.0.1:${brokerDoor.port}`,
      isHurried: false,
      secrets: { serviceTokenSecret },
      scale: `inventory-service=${inventories}`,
      environment: {
        ...settings,
        ...Object.fromEntries(serviceNames.map(name => [databaseSetting(name), databases[name].uri(databaseOf(name))])),
      },
      async openDoors(ports) {
        for (const name of processNames) doors[name] = await openDoor(ports[name] ?? 0);
        return Object.fromEntries(processNames.map(name => [name, doors[name].port]));
      },
    });
    for (const door of Object.values(doors)) closing.push(door.close);
    closing.push(shop.stop);
    return {
      ...{ url: `http://127.0.0.1:${doors.gateway.port}`, shop, databases, doors, brokerDoor, brokerPid, stop },
      ...{ serviceTokenSecret, brokerVersion },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The name of a service's database. */
export const databaseOf = (name: ServiceName): string => name.replace('-service', '');

async function versionOf(url: string): Promise<string> {
  const { connection, close } = await connect(url).then(model => ({ ...model, close: () => model.close() }));
  await close();
  return String(connection.serverProperties.version);
}

/** Processes of RabbitMQ below this one. */
function beamPids(): number[] {
  const parents = new Map<number, number>();
  const beams: number[] = [];
  for (const entry of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.split(') ').at(-1)!.split(' ')[1]));
      if (stat.includes('(beam.smp)')) beams.push(Number(entry));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isBelow(parents.get(pid)));
  return beams.filter(isBelow);
}
