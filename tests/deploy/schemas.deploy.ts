import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import { folderOf, type KubernetesObject, overlays, rendered } from './objects.ts';

/** The oldest version that the manual names, one between, and the newest whose schemas there are. */
const versions = ['1.32.0', '1.35.0', '1.37.0'];
const validator = process.env.KUBERNETES_VALIDATE ?? assert.fail('npm run test:deploy sets KUBERNETES_VALIDATE');

const folder = mkdtempSync(join(tmpdir(), 'tradepost-manifests-'));
after(() => rmSync(folder, { recursive: true }));

/** What the schemas of a version say of objects; strictly, so that unknown fields are wrong. */
function validate(version: string, name: string, text: string): { passed: number; output: string } {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(validator, ['-k', version, '--strict', file], { encoding: 'utf8' });
  const output = stdout + stderr;
  // A kind that it does not know is passed over, and the end is a good one.
  return { passed: status === 0 ? (output.match(/ passed for resource /g)?.length ?? 0) : 0, output };
}

describe('the schemas of Kubernetes', () => {
  for (const overlay of overlays) {
    const text = rendered(folderOf(overlay));
    const count = parseAllDocuments(text).length;
    for (const version of versions) {
      test(`${version} takes all ${count} objects of ${overlay}`, () => {
        const { passed, output } = validate(version, overlay, text);
        assert.equal(passed, count, output);
      });
    }
  }

  /** Each breaks the Deployment of the gateway, or what it is called. */
  const planted: [name: string, plant: (object: KubernetesObject & Record<string, unknown>) => unknown][] = [
    [
      'a misspelt field',
      object => ((object.spec?.template?.spec as Record<string, unknown> | undefined)!.container = []),
    ],
    ['a text for a number', object => Object.assign(object.spec ?? {}, { revisionHistoryLimit: 'three' })],
    ['a missing field', object => delete object.spec?.selector],
    ['a kind that is no more', object => Object.assign(object, { apiVersion: 'extensions/v1beta1' })],
  ];
  const deployment = parseAllDocuments(rendered(folderOf('demo')))
    .map(document => document.toJS() as KubernetesObject & Record<string, unknown>)
    .find(({ kind }) => kind === 'Deployment');
  for (const [name, plant] of planted) {
    for (const version of versions) {
      test(`${version} refuses ${name}`, () => {
        const object = structuredClone(deployment ?? assert.fail('there is a Deployment'));
        plant(object);
        assert.equal(validate(version, 'planted', stringify(object)).passed, 0);
      });
    }
  }
});
