/** A query, and how its lines are named: Grafana's `{{label}}`. */
export interface Query {
  expr: string;
  legend: string;
}

/** What a panel shows; its place follows from its row. */
export interface Panel {
  title: string;
  /** What it tells, and what to do when it looks wrong. */
  description: string;
  kind: 'stat' | 'timeseries' | 'table';
  /** Grafana's id of a unit: `reqps`, `s`, `percentunit`, `short`, `bytes`. */
  unit: string;
  queries: Query[];
  /** Of 24; default 4 for `stat`, 8 otherwise. */
  width?: number;
  decimals?: number;
  min?: number;
  max?: number;
  /** From where the value is yellow and red; falling thresholds colour what is below. */
  thresholds?: { yellow?: number; red?: number; falling?: true };
  stack?: true;
}

export interface Row {
  title: string;
  panels: Panel[];
}

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  /** Whether it can be narrowed to some services by `$service`. */
  byService: boolean;
  rows: Row[];
}

/** The uid that provisioning gives the data source. */
export const datasource = { type: 'prometheus', uid: 'tradepost-prometheus' } as const;

/** The dashboard as Grafana 12 reads it. */
export function toGrafana(dashboard: Dashboard): object {
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    description: dashboard.description,
    tags: ['tradepost'],
    schemaVersion: 41,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    timepicker: {},
    fiscalYearStartMonth: 0,
    annotations: { list: [alertsAnnotation] },
    links: [
      {
        ...{ type: 'dashboards', tags: ['tradepost'], title: 'Tradepost', asDropdown: false, icon: 'external link' },
        ...{ includeVars: true, keepTime: true, targetBlank: false, tooltip: '', url: '' },
      },
    ],
    templating: { list: dashboard.byService ? [serviceVariable] : [] },
    panels: panelsOf(dashboard.rows),
  };
}

const alertsAnnotation = {
  name: 'Alerts',
  datasource,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertstate="firing"}',
  titleFormat: '{{alertname}}',
  textFormat: '{{job}} {{severity}}',
  step: '60s',
};

const serviceVariable = {
  ...{ name: 'service', label: 'Service', type: 'query', datasource },
  definition: 'label_values(http_request_duration_seconds_count, service)',
  query: { qryType: 1, query: 'label_values(http_request_duration_seconds_count, service)', refId: 'services' },
  ...{ refresh: 2, sort: 1, multi: true, includeAll: true, allValue: '.*', hide: 0, regex: '', options: [] },
  current: { text: ['All'], value: ['$__all'] },
};

const heights = { stat: 4, timeseries: 8, table: 8 } as const;

/** Panels from left to right and from top to bottom, below the title of their row. */
function panelsOf(rows: readonly Row[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    const title = { title: row.title, collapsed: false, panels: [] };
    panels.push({ id: panels.length + 1, type: 'row', ...title, gridPos: { x: 0, y, w: 24, h: 1 } });
    y += 1;
    let [x, tallest] = [0, 0];
    for (const panel of row.panels) {
      const w = panel.width ?? (panel.kind === 'stat' ? 4 : 8);
      const h = heights[panel.kind];
      if (x + w > 24) {
        y += tallest;
        [x, tallest] = [0, 0];
      }
      panels.push({ id: panels.length + 1, gridPos: { x, y, w, h }, ...bodyOf(panel) });
      x += w;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return panels;
}

function bodyOf(panel: Panel): object {
  const { title, description, kind } = panel;
  return {
    ...{ title, description, type: kind, datasource },
    targets: panel.queries.map(({ expr, legend }, index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource, expr, editorMode: 'code', legendFormat: legend },
      ...(kind === 'timeseries' ? { range: true } : { instant: true, range: false }),
      ...(kind === 'table' ? { format: 'table' } : {}),
    })),
    fieldConfig: { defaults: fieldsOf(panel), overrides: [] },
    options: optionsOf(panel),
    ...(kind === 'table' ? { transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }] } : {}),
  };
}

function fieldsOf({ kind, unit, decimals, min, max, thresholds, stack }: Panel): object {
  return {
    unit,
    ...(decimals === undefined ? {} : { decimals }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    color: { mode: kind === 'timeseries' ? 'palette-classic' : 'thresholds' },
    thresholds: { mode: 'absolute', steps: stepsOf(thresholds) },
    custom:
      kind === 'timeseries'
        ? {
            ...{
              drawStyle: 'line',
              lineWidth: 1,
              fillOpacity: stack ? 40 : 10,
              showPoints: 'never',
              spanNulls: 60_000,
            },
            stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
            thresholdsStyle: { mode: thresholds ? 'dashed' : 'off' },
            axisSoftMin: 0,
          }
        : {},
  };
}

function stepsOf(thresholds: Panel['thresholds']): object[] {
  const { yellow, red, falling } = thresholds ?? {};
  const at = (color: string, value: number | undefined) => (value === undefined ? [] : [{ color, value }]);
  if (!falling) return [{ color: 'green', value: null }, ...at('yellow', yellow), ...at('red', red)];
  return [{ color: 'red', value: null }, ...at('yellow', red), ...at('green', yellow ?? red)].filter(
    (step, index, all) => index === all.length - 1 || all[index + 1]?.value !== step.value,
  );
}

function optionsOf({ kind }: Panel): object {
  if (kind === 'timeseries') {
    return {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    };
  }
  if (kind === 'table') return { showHeader: true, cellHeight: 'sm' };
  return {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    ...{ colorMode: 'value', graphMode: 'none', justifyMode: 'auto', orientation: 'auto', textMode: 'auto' },
  };
}
