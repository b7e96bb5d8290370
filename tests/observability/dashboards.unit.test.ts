import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { dashboards, dashboardText } from '@tradepost/local/dashboards/write';
import { parse } from 'yaml';
import { root } from '../architecture/sourceFiles.ts';
import { knownMetrics, metricsIn } from './promql.ts';

interface PanelJson {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  targets?: { refId: string; expr: string; legendFormat: string; datasource: { uid: string } }[];
  fieldConfig?: { defaults: { unit: string; thresholds: { steps: { value: number | null }[] } } };
}

interface DashboardJson {
  uid: string;
  title: string;
  schemaVersion: number;
  templating: { list: { name: string }[] };
  panels: PanelJson[];
}

const files = globSync(join(root, 'grafana', 'dashboards', '*.json')).sort();
const all = files.map(file => JSON.parse(readFileSync(file, 'utf8')) as DashboardJson);
const provisioned = (kind: string, file: string) =>
  parse(readFileSync(join(root, 'grafana', 'provisioning', kind, file), 'utf8'));

const overlap = (a: PanelJson['gridPos'], b: PanelJson['gridPos']): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

test('the files are those that are generated; otherwise run: npm run dashboards', () => {
  assert.equal(files.length, dashboards.length);
  for (const { file, dashboard } of dashboards) assert.equal(readFileSync(file, 'utf8'), dashboardText(dashboard));
});

test('uids are unique, and the data source is the one that is provisioned', () => {
  assert.equal(new Set(all.map(({ uid }) => uid)).size, all.length);
  const [source] = provisioned('datasources', 'prometheus.yml').datasources;
  const used = new Set(
    all.flatMap(one => one.panels.flatMap(panel => panel.targets ?? [])).map(one => one.datasource.uid),
  );
  assert.deepEqual([...used], [source.uid]);
  assert.equal(provisioned('dashboards', 'tradepost.yml').providers[0].type, 'file');
});

for (const dashboard of all) {
  describe(dashboard.title, () => {
    const panels = dashboard.panels.filter(panel => panel.type !== 'row');

    test('has what Grafana 12 reads', () => {
      assert.ok(dashboard.schemaVersion >= 41);
      assert.match(dashboard.uid, /^[\w-]{1,40}$/);
      assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    });

    test('has panels side by side, none over another or over the edge', () => {
      for (const [index, { gridPos, title }] of dashboard.panels.entries()) {
        assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 && gridPos.w > 0 && gridPos.h > 0, title);
        for (const other of dashboard.panels.slice(index + 1)) {
          assert.ok(!overlap(gridPos, other.gridPos), `${title} and ${other.title}`);
        }
      }
    });

    test('says of each panel what it shows, in which unit', () => {
      assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length, 'titles differ');
      for (const { title, description, fieldConfig, targets = [], type } of panels) {
        assert.ok((description ?? '').length > 20, title);
        assert.ok(fieldConfig?.defaults.unit, title);
        assert.ok(targets.length > 0, title);
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
        if (type !== 'table') for (const target of targets) assert.ok(target.legendFormat, title);
        const steps = fieldConfig.defaults.thresholds.steps.map(({ value }) => value);
        assert.equal(steps[0], null, title);
        assert.deepEqual(
          steps.slice(1),
          steps.slice(1).toSorted((a, b) => Number(a) - Number(b)),
          title,
        );
      }
    });

    test('asks for metrics that there are, and uses no variable that it does not have', async () => {
      const isKnown = await knownMetrics();
      const variables = dashboard.templating.list.map(({ name }) => name);
      for (const { expr } of panels.flatMap(panel => panel.targets ?? [])) {
        const used = [...expr.matchAll(/\$\{?(\w+)/g)].map(match => match[1] ?? '');
        const builtIn = ['__rate_interval', '__range', '1'];
        assert.deepEqual(
          used.filter(name => !builtIn.includes(name) && !variables.includes(name)),
          [],
          expr,
        );
        assert.deepEqual(
          metricsIn(expr).filter(name => !isKnown(name)),
          [],
          expr,
        );
      }
    });
  });
}
