import { adminFileName } from './dataFolder.ts';
import type { ShopSettings } from './settings.ts';
import type { Shop } from './startShop.ts';
import { tour } from './tour.ts';

/** Where a shop runs, however many processes it has. */
export interface RunningPlaces extends Pick<Shop, 'admin' | 'mongodbUri'> {
  ports: { gateway: { url: string }; services: Record<string, { url: string }>; gatewayMetrics: { url: string } };
}

/**
 * What a person who has started the shop wants to know: what runs where, the administrator, and a first walk.
 * @param seconds since the process began
 */
export function welcome(shop: RunningPlaces, settings: ShopSettings, seconds: number): string {
  const { gateway, services, gatewayMetrics } = shop.ports;
  const rows: [string, string][] = [
    ['gateway', `${gateway.url}   (documentation: ${gateway.url}/docs)`],
    ...Object.entries(services).map(([name, port]): [string, string] => [name, port.url]),
    ['metrics', `${gatewayMetrics.url}/metrics`],
    ['database', withoutPassword(shop.mongodbUri)],
    ['messages', settings.rabbitmqUrl ? withoutPassword(settings.rabbitmqUrl) : 'in the process, kept in the database'],
    ...(settings.consulUrl ? [['discovery', settings.consulUrl] as [string, string]] : []),
    ['data', settings.dataDir ?? 'in memory, gone when the shop stops'],
    ['administrator', administrator(shop, settings)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return `Tradepost is ready after ${seconds.toFixed(1)} s.

${rows.map(([name, value]) => `  ${name.padEnd(width)} ${value}`).join('\n')}

${settings.seedDemo ? `A walk through the shop, to be pasted into another terminal:\n\n${tour(gateway.url)}\n` : ''}Ctrl-C stops the shop.
`;
}

function administrator({ admin }: RunningPlaces, { dataDir, admin: given }: ShopSettings): string {
  if (given) return `${admin.email}, with the password of ADMIN_PASSWORD`;
  if (dataDir === undefined) return `${admin.email}, password ${admin.password}`;
  return admin.isNew
    ? `${admin.email}, password ${admin.password} (shown this once, kept in ${dataDir}/${adminFileName})`
    : `${admin.email}, password in ${dataDir}/${adminFileName}`;
}

const withoutPassword = (uri: string): string => uri.replace(/\/\/[^@/]*@/, '//');
