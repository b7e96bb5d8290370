import { writeFileSync } from 'node:fs';
import { type Dashboard, toGrafana } from './grafana.ts';
import { messaging } from './messaging.ts';
import { orders } from './orders.ts';
import { overview } from './overview.ts';
import { runtime } from './runtime.ts';

/** The dashboards by the file that Grafana reads them from. */
export const dashboards: readonly { file: URL; dashboard: Dashboard }[] = Object.entries({
  overview,
  orders,
  messaging,
  runtime,
}).map(([name, dashboard]) => ({
  file: new URL(`../../grafana/dashboards/${name}.json`, import.meta.url),
  dashboard,
}));

/** A dashboard as text with a line per value. */
export const dashboardText = (dashboard: Dashboard): string =>
  `${JSON.stringify(toGrafana(dashboard), undefined, 2)}\n`;

if (import.meta.main) for (const { file, dashboard } of dashboards) writeFileSync(file, dashboardText(dashboard));
