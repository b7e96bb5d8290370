import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { serviceNames } from '@tradepost/shared/discovery';
import { root } from '../architecture/sourceFiles.ts';
import { readCompose } from '../compose/file.ts';
import { readStack, type StackService, stackText } from './stackFile.ts';

const stack = readStack();
const compose = readCompose();
const processes = ['gateway', ...serviceNames];
const databases = serviceNames.map(name => name.replace('-service', '-db'));
const keeping = [...databases, 'rabbitmq', 'seed'];
const names = Object.keys(stack.services);
const get = (name: string): StackService => stack.services[name] ?? assert.fail(`there is no ${name}`);
const inCompose = (name: string) => compose.services[name] ?? assert.fail(`Compose has no ${name}`);
const secretFile = (name: string) => stack.secrets[name]?.file ?? assert.fail(`there is no secret ${name}`);

test('the stack has what the core of Compose has, but for who hands out secrets and addresses there', () => {
  const core = Object.entries(compose.services).filter(([, { profiles }]) => profiles.length === 0);
  const without = core.map(([name]) => name).filter(name => !['secrets', 'consul'].includes(name));
  assert.deepEqual(names.toSorted(), without.toSorted());
});

for (const name of names) {
  describe(`${name} of the stack`, () => {
    const [service, model] = [get(name), inCompose(name)];

    test('runs the same as in Compose, with the same limits', () => {
      const image = service.image.replace(/^\$\{IMAGES:-tradepost\}\/(.+):\$\{TAG:-latest\}$/, 'tradepost/$1');
      assert.equal(image, model.image);
      assert.deepEqual(service.command, model.command);
      assert.equal(service.user, model.user);
      assert.deepEqual(service.deploy.resources.limits, model.deploy.resources.limits);
      assert.equal(service.stop_grace_period, model.stop_grace_period);
    });

    test('is confined', () => {
      assert.deepEqual([service.init, service.read_only, service.cap_drop], [true, true, ['ALL']]);
      assert.ok(service.user !== 'root');
    });

    test('has the settings of Compose, but for discovery', () => {
      const isDiscovery = (key: string) => /^(CONSUL_URL|DNS_REFRESH_MS|[A-Z]+_SERVICE_URL)$/.test(key);
      const settings = (environment: Record<string, string | number>) =>
        Object.fromEntries(Object.entries(environment).filter(([key]) => !isDiscovery(key)));
      const [wanted, found] = [settings(model.environment), settings(service.environment)];
      // There is no Jaeger in the stack, and several gateways.
      assert.match(String(found.OTEL_EXPORTER_OTLP_ENDPOINT ?? ''), /^(|\$\{OTEL_EXPORTER_OTLP_ENDPOINT:-\})$/);
      delete found.OTEL_EXPORTER_OTLP_ENDPOINT;
      delete wanted.OTEL_EXPORTER_OTLP_ENDPOINT;
      if (name === 'gateway') wanted.REDIS_URL_FILE = '/run/secrets/redis-url';
      assert.deepEqual(found, wanted);
    });

    test('is on the networks of Compose, but for those of the operator', () => {
      assert.deepEqual(
        service.networks,
        model.networks.filter(network => network !== 'operators'),
      );
      for (const network of service.networks) {
        assert.equal(stack.networks[network]?.internal ?? false, compose.networks[network]?.internal ?? false, network);
      }
    });

    test('finds every file that a setting names, among secrets that are its own', () => {
      const targets = service.secrets.map(({ target }) => target);
      for (const [key, value] of Object.entries(service.environment)) {
        if (/_FILE$/.test(key)) assert.ok(targets.includes(String(value)), `${key} ${value}`);
      }
      const owners = service.secrets.map(({ source }) => secretFile(source).split('/').at(-2));
      const shared = ['gateway', ...(name === 'seed' ? ['user-service'] : [])];
      for (const owner of owners) assert.ok(owner === name || shared.includes(String(owner)), String(owner));
    });

    test('keeps its data on one machine, or is replaced without a gap', () => {
      const { deploy, volumes } = service;
      const named = volumes.flatMap(({ source }) => source ?? []);
      for (const volume of named) assert.ok(volume in stack.volumes, volume);
      assert.equal(named.length, keeping.includes(name) ? 1 : 0);
      if (keeping.includes(name)) {
        assert.match(String(deploy.placement?.constraints), /^node\.hostname == \$\{DATA_NODE:\?/);
        assert.deepEqual([deploy.update_config.order, deploy.replicas], ['stop-first', undefined]);
      } else {
        assert.deepEqual(
          [deploy.update_config.order, deploy.update_config.failure_action],
          ['start-first', 'rollback'],
        );
        assert.match(String(deploy.replicas), /^\$\{[A-Z]+_REPLICAS:-[23]\}$/);
      }
      assert.equal(deploy.restart_policy.condition, name === 'seed' ? 'on-failure' : 'any');
    });
  });
}

test('only the gateway is reached from outside, at an address that shares out to its tasks', () => {
  const open = names.filter(name => get(name).ports.length > 0 || get(name).deploy.endpoint_mode !== 'dnsrr');
  assert.deepEqual(open, ['gateway']);
  assert.match(get('gateway').ports.join(), /^\$\{GATEWAY_PORT:-3000\}:3000$/);
});

test('every process looks up the tasks of the others at the port that they listen on', () => {
  for (const name of processes) {
    for (const service of serviceNames) {
      const key = `${service.replace('-', '_').toUpperCase()}_URL`;
      assert.equal(get(name).environment[key], `http://tasks.${service}:${get(service).environment.PORT}`);
    }
    assert.ok(Number(get(name).environment.DNS_REFRESH_MS) <= 1_000);
  }
});

test('a process takes part when it is ready, and is replaced only when it is not alive', () => {
  for (const name of processes) {
    const { test: check = [] } = get(name).healthcheck ?? {};
    assert.match(check.join(' '), /\/health\/\$\$\(\[ -e \/tmp\/ready \] && echo live \|\| echo ready\)/);
  }
});

test('a database is asked as in Compose', () => {
  for (const name of databases) assert.deepEqual(get(name).healthcheck?.test, inCompose(name).healthcheck?.test);
});

test('the name of a config changes with what it holds, or the stack could not be updated', () => {
  for (const [key, { name, file }] of Object.entries(stack.configs)) {
    const hash = createHash('sha256')
      .update(readFileSync(join(root, 'deploy', file)))
      .digest('hex');
    assert.equal(name, `tradepost-${key}-${hash.slice(0, 8)}`);
  }
});

test('every variable has a default, or says what it wants', () => {
  for (const [text, , operator] of stackText.matchAll(/\$\{(\w+)(:?[-?])?[^}]*\}/g)) assert.ok(operator, text);
});

describe('npm run init-secrets -- --stack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-secrets-'));
  after(() => rmSync(folder, { recursive: true }));
  const initSecrets = () =>
    execFileSync(process.execPath, [join(root, 'local/commands/initSecrets.ts'), '--stack', '--folder', folder]);

  test('makes every file that the stack names, for its owner alone, and the same ones again', () => {
    initSecrets();
    const paths = Object.values(stack.secrets).map(({ file }) =>
      file.replace(/^\$\{SECRETS_DIR:-\.\.\/docker\/secrets\/stack\}/, join(folder, 'stack')),
    );
    const contents = paths.map(path => readFileSync(path, 'utf8'));
    // Docker takes no empty secret; a line that is empty counts as none.
    for (const [index, path] of paths.entries()) {
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
      assert.ok(contents[index]!.length > 0, path);
    }
    assert.ok(!existsSync(join(folder, 'stack', 'consul')));
    initSecrets();
    assert.deepEqual(
      paths.map(path => readFileSync(path, 'utf8')),
      contents,
    );
  });
});
