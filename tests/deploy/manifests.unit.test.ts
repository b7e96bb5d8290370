import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { before, describe, test } from 'node:test';
import { root } from '../architecture/sourceFiles.ts';
import { calleesOf, networkViolations } from './connections.ts';
import { type Secrets, secretsOf, settingFaults } from './environment.ts';
import {
  cannotRender,
  folderOf,
  type KubernetesObject,
  named,
  type Overlay,
  overlays,
  render,
  workloadsIn,
} from './objects.ts';
import { inOnePod, inTheRest, specOf } from './planted.ts';
import { violations } from './policy.ts';

interface Rendered {
  objects: KubernetesObject[];
  secrets: Secrets;
}

const all = new Map<Overlay, Rendered>();

/** Everything that is wrong with the objects of an overlay. */
const faultsOf = ({ objects, secrets }: Rendered): string[] => [
  ...violations(objects),
  ...settingFaults(workloadsIn(objects), objects, secrets),
  ...networkViolations(objects, secrets),
];

// A suite that is skipped counts as nothing.
if (cannotRender) test(cannotRender, { skip: true });

describe('the manifests of Kubernetes', { skip: cannotRender }, () => {
  before(async () => {
    for (const overlay of overlays) {
      all.set(overlay, { objects: render(folderOf(overlay)), secrets: await secretsOf(overlay) });
    }
  });
  const rendered = (overlay: Overlay): Rendered => structuredClone(all.get(overlay)!);

  for (const overlay of overlays) {
    test(`${overlay} keeps all rules`, () => {
      const { objects } = rendered(overlay);
      assert.equal(objects.filter(({ kind }) => kind === 'Deployment').length, 6);
      assert.deepEqual(faultsOf(rendered(overlay)), []);
    });
  }

  for (const [name, fault, plant] of inOnePod) {
    test(`the rules find: ${name}`, () => {
      const shop = rendered('demo');
      const workload = workloadsIn(shop.objects).find(one => one.id === 'Deployment order-service')!;
      plant(workload.pod, workload.pod.containers[0]!);
      assert.match(faultsOf(shop).join('\n'), fault);
    });
  }

  for (const [name, fault, plant] of inTheRest) {
    test(`the rules find: ${name}`, () => {
      const shop = rendered('demo');
      plant(shop.objects);
      assert.match(faultsOf(shop).join('\n'), fault);
    });
  }

  test('what the Job of secrets may do is what it does', () => {
    const { objects } = rendered('demo');
    assert.deepEqual(named(objects, 'Role', 'secrets')?.rules, [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['tradepost-secrets'], verbs: ['get'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ]);
  });

  test('every Secret that the demo mounts is made by its Job', () => {
    const { objects, secrets } = rendered('demo');
    const mounted = workloadsIn(objects).flatMap(({ pod }) =>
      (pod.volumes ?? []).flatMap(one => one.secret?.secretName ?? []),
    );
    assert.equal(mounted.length, 13);
    assert.deepEqual(
      mounted.filter(name => !secrets.has(name)),
      [],
    );
  });

  test('production has more instances than the demo, an Ingress with TLS, and nothing that keeps data', () => {
    const { objects } = rendered('production');
    for (const { kind, metadata, spec } of objects) {
      if (kind === 'HorizontalPodAutoscaler') {
        assert.ok((spec?.minReplicas ?? 0) > (specOf(rendered('demo').objects, kind, metadata.name).minReplicas ?? 0));
      }
    }
    assert.ok((specOf(objects, 'Ingress', 'gateway').tls ?? []).length > 0);
    assert.deepEqual(
      objects.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Job'),
      [],
    );
  });

  test('the manual names every key of every Secret that the operator makes', () => {
    const { objects } = rendered('production');
    const manual = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
    for (const { name, pod } of workloadsIn(objects)) {
      const keys = pod.containers
        .flatMap(({ env = [] }) => env)
        .flatMap(({ value }) => /^\/run\/secrets\/([\w-]+)$/.exec(value ?? '')?.[1] ?? []);
      const row = new RegExp(`^\\| \`${name}\` \\| (.*) \\|$`, 'm').exec(manual)?.[1] ?? '';
      const told = [...row.matchAll(/`([\w-]+)`/g)].map(match => match[1] ?? '');
      assert.deepEqual(told.sort(), keys.sort(), name);
    }
  });

  test('an overlay of the operator changes name, settings and images without touching ours', t => {
    const folder = mkdtempSync(join(root, 'deploy', 'kubernetes', 'overlays', 'operator-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const manual = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
    const overlay =
      /```yaml\n(# kustomization\.yaml[^`]+)```/.exec(manual)?.[1] ?? assert.fail('no overlay in the manual');
    writeFileSync(join(folder, 'kustomization.yaml'), overlay.replace(/- .*overlays\/production$/m, '- ../production'));
    const objects = render(folder);
    assert.deepEqual(violations(objects), []);
    assert.deepEqual(specOf(objects, 'Ingress', 'gateway').tls?.[0]?.hosts, ['shop.example.org']);
    assert.match(workloadsIn(objects)[0]?.pod.containers[0]?.image ?? '', /^registry\.example\.org\//);
    const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    assert.equal(settings.PAYMENT_PROVIDER, 'stripe');
    assert.equal(settings.DNS_REFRESH_MS, '2000');
  });
});

test('databases and broker are set up as by Compose', () => {
  const config = join(folderOf('demo'), 'config');
  for (const [copy, original] of [
    ['user.js', 'docker/mongo/user.js'],
    ['rabbitmq.conf', 'docker/rabbitmq/rabbitmq.conf'],
  ] as const) {
    const [ours, theirs] = [join(config, copy), join(root, original)].map(path => readFileSync(path, 'utf8'));
    assert.equal(ours, theirs, `copy ${original} to ${relative(root, config)}`);
  }
});

test('who calls whom is read from the code', () => {
  assert.equal(calleesOf('gateway').length, 5);
  assert.deepEqual(calleesOf('order-service').toSorted(), [
    'inventory-service',
    'payment-service',
    'product-service',
    'user-service',
  ]);
  assert.deepEqual(calleesOf('inventory-service'), ['user-service']);
});
