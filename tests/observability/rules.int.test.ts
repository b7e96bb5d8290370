import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { serviceNames } from '@tradepost/shared/discovery';
import { parse } from 'yaml';
import { root } from '../architecture/sourceFiles.ts';
import { knownMetrics, metricsIn, ruleFiles, rules } from './promql.ts';

const promtool = process.env.PROMTOOL_BIN ?? 'promtool';
const isThere = spawnSync(promtool, ['--version']).status === 0;
const skip = isThere ? false : `no promtool: set PROMTOOL_BIN, or install prometheus`;
const alerts = rules.filter(rule => rule.alert !== undefined);
const tests = globSync(join(root, 'prometheus', 'tests', '*.test.yml')).sort();

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

describe('promtool', { skip }, () => {
  test('finds the rules well made', () => {
    const { status, output } = run('check', 'rules', ...ruleFiles);
    assert.equal(status, 0, output);
  });

  for (const file of tests) {
    test(`passes ${file.slice(root.length + 1)}`, () => {
      const { status, output } = run('test', 'rules', file);
      assert.equal(status, 0, output);
    });
  }
});

describe('alerts', () => {
  test('look at metrics that there are', async () => {
    const isKnown = await knownMetrics();
    const used = rules.flatMap(rule => metricsIn(rule.expr));
    assert.ok(used.includes('sagas_needing_attention') && used.includes('gateway:errors:ratio1h'));
    assert.deepEqual(
      used.filter(name => !isKnown(name)),
      [],
    );
    assert.deepEqual(metricsIn('sum by (a) (rate(nothing_total{b="c"}[5m])) > 0 or on (d) up == 0'), [
      'nothing_total',
      'up',
    ]);
  });

  test('have each a severity, a summary, and a test in which it fires', () => {
    const tested = tests.map(file => readFileSync(file, 'utf8')).join('\n');
    for (const { alert, labels, annotations } of alerts) {
      assert.ok(['page', 'ticket'].includes(labels?.severity ?? ''), alert);
      assert.ok(annotations?.summary, alert);
      assert.match(tested, new RegExp(`alertname: ${alert}\\n\\s+eval_time: \\S+\\n\\s+exp_alerts:\\n`), alert);
    }
  });

  test('have each a section in the runbook, and the other way round', () => {
    const text = readFileSync(join(root, 'docs', 'runbook.md'), 'utf8');
    const sections = text.split(/^(?=## )/m).slice(1);
    const named = sections
      .map(section => /^## (.+)$/m.exec(section)?.[1])
      .filter(name => /^[A-Z][a-z]+[A-Z]/.test(name ?? ''));
    assert.deepEqual(named.toSorted(), alerts.map(({ alert }) => alert).toSorted());
    for (const { alert, annotations } of alerts) {
      assert.equal(annotations?.runbook, `docs/runbook.md#${alert?.toLowerCase()}`);
      const section = sections.find(one => one.startsWith(`## ${alert}\n`)) ?? '';
      for (const part of ['**What it means.**', '**Who notices.**', '**Look.**', '**Do.**', '**Escalate.**']) {
        assert.ok(section.includes(part), `${alert} says ${part}`);
      }
    }
  });

  test('expect every service', () => {
    const expected = rules.filter(({ record }) => record === 'shop:expected').map(({ labels }) => labels?.job);
    assert.deepEqual(expected, ['gateway', ...serviceNames]);
  });
});

describe('the page on operations', () => {
  test('has a line for each alert', () => {
    const text = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
    for (const { alert } of alerts) assert.ok(text.includes(`[${alert}](runbook.md#${alert?.toLowerCase()})`), alert);
  });
});

test('what is scraped is found by what instances say of themselves', () => {
  const config = parse(readFileSync(join(root, 'prometheus', 'prometheus.yml'), 'utf8'));
  const [shop] = config.scrape_configs;
  assert.equal(shop.consul_sd_configs.length, 1);
  const labels = shop.relabel_configs.flatMap((one: { source_labels: string[] }) => one.source_labels);
  assert.ok(labels.includes('__meta_consul_service_metadata_metrics_port'));
  assert.ok(
    !/(order|user|product|payment|inventory)-service:\d/.test(JSON.stringify(config)),
    'no address of a service',
  );
});
