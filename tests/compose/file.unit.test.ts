import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseEnv } from 'node:util';
import { serviceNames } from '@tradepost/shared/discovery';
import { root } from '../architecture/sourceFiles.ts';
import { type ComposeService, composeText, mebibytes, readCompose } from './file.ts';

const { services, networks, volumes } = readCompose();
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const processes = ['gateway', ...serviceNames] as const;
const databases = serviceNames.map(name => name.replace('-service', '-db'));
const get = (name: string): ComposeService => services[name] ?? assert.fail(`there is no ${name}`);
const isInternal = (network: string) => networks[network]?.internal === true;
const observability = ['prometheus', 'grafana', 'jaeger'];
/** What ends when its work is done. */
const oneShots = ['secrets', 'seed', 'load'];

describe('every container of docker-compose.yml', () => {
  for (const [name, service] of Object.entries(services)) {
    test(`${name} is confined`, () => {
      assert.equal(service.read_only, true);
      assert.equal(service.init, true);
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      assert.equal(service.stop_grace_period, '30s');
      assert.ok(service.logging.options['max-size']);
      const { cpus, memory, pids } = service.deploy.resources.limits;
      // A machine with one processor refuses a limit above it.
      assert.ok(Number(cpus) > 0 && Number(cpus) <= 1);
      assert.ok(mebibytes(memory) >= 128 && mebibytes(memory) <= 1_024);
      assert.ok(pids >= 64);
      assert.equal(service.restart, oneShots.includes(name) ? service.restart : 'unless-stopped');
      if (name === 'secrets') assert.deepEqual([service.network_mode, service.cap_add], ['none', ['DAC_READ_SEARCH']]);
      else assert.deepEqual([service.user === 'root', service.cap_add], [false, []]);
      assert.ok(service.user !== undefined || name === 'jaeger', 'its user is named');
    });

    test(`${name} runs a pinned image`, () => {
      if (service.build) assert.equal(service.image, `tradepost/${service.build.args.SERVICE}`);
      else assert.match(service.image, /^[a-z/]+:v?\d[\w.-]*$/);
    });

    test(`${name} names what is there`, () => {
      for (const network of service.networks) assert.ok(network in networks, network);
      for (const volume of service.volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) assert.ok(existsSync(join(root, source)), source);
        else assert.ok(source in volumes, source);
      }
      for (const [other, { condition }] of Object.entries(service.depends_on)) {
        const ends = oneShots.includes(other);
        assert.equal(condition, ends ? 'service_completed_successfully' : 'service_healthy');
        assert.ok(ends || get(other).healthcheck?.test || get(other).build, `${other} has a health check`);
      }
    });

    test(`${name} gets its secrets as files`, () => {
      const secret = /PASSWORD|SECRET|TOKEN|_KEY|_URI$|RABBITMQ_URL|_PASS$/;
      const inEnvironment = Object.keys(service.environment).filter(
        key => secret.test(key) && !/(_|__)FILE$/.test(key) && key !== 'ROTATE_SECRETS',
      );
      assert.deepEqual(inEnvironment, name === 'secrets' ? ['ADMIN_PASSWORD'] : []);
      const own = service.volumes.filter(volume => /-secrets:/.test(volume));
      if (name === 'secrets') return;
      assert.ok(own.length <= 1);
      for (const volume of own) assert.match(volume, /:\/run\/secrets:ro$/);
    });
  }

  test('has its folder of secrets, which no other kind of container shares', () => {
    const users = new Map<string, string[]>();
    for (const [name, { volumes: own }] of Object.entries(services)) {
      for (const volume of own.filter(one => /-secrets:\/run/.test(one))) {
        const [source = ''] = volume.split(':');
        users.set(source, [...(users.get(source) ?? []), name]);
      }
    }
    assert.deepEqual(
      [...users].filter(([, names]) => names.length > 1),
      [['admin-secrets', ['seed', 'load']]],
    );
    const filled = get('secrets').volumes.flatMap(volume => /^(.+-secrets):\/secrets\/out\//.exec(volume)?.[1] ?? []);
    assert.deepEqual(filled.toSorted(), [...users.keys()].toSorted());
  });
});

describe('who can be reached', () => {
  test('only the gateway from outside, the operator on this machine', () => {
    assert.match(get('gateway').ports.join(), /^\$\{GATEWAY_PORT:-3000\}:3000$/);
    const others = Object.entries(services).filter(([name, { ports }]) => name !== 'gateway' && ports.length > 0);
    assert.deepEqual(
      Object.fromEntries(others.map(([name, { ports }]) => [name, ports.map(port => /:-(\d+)\}/.exec(port)?.[1])])),
      { rabbitmq: ['15672'], consul: ['8500'], prometheus: ['9090'], grafana: ['3001'], jaeger: ['16686'] },
    );
    for (const [, { ports }] of others) for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  });

  test('a database only by its service, on a network that leads nowhere', () => {
    for (const name of databases) {
      assert.deepEqual(get(name).networks.length, 1);
      const [network = ''] = get(name).networks;
      assert.ok(isInternal(network));
      const there = Object.entries(services).filter(([, { networks: own }]) => own.includes(network));
      assert.deepEqual(there.map(([one]) => one).toSorted(), [name, name.replace('-db', '-service')].toSorted());
    }
  });

  test('the broker by the services, and nobody from outside but by the port of its page', () => {
    assert.ok(isInternal('broker') && isInternal('services'));
    assert.deepEqual(get('rabbitmq').networks, ['broker', 'operators']);
    assert.match(composeText, /operators:\n.*enable_ip_masquerade: 'false'/);
    for (const name of processes) assert.ok(get(name).networks.includes('broker'));
  });

  test('no service reaches outside but payment-service, whose provider is there', () => {
    const open = serviceNames.filter(name => get(name).networks.some(network => !isInternal(network)));
    assert.deepEqual(open, ['payment-service']);
  });
});

describe('what each process is given', () => {
  for (const name of processes) {
    test(`${name} has a heap that its memory holds`, () => {
      const [, heap] = /^--max-old-space-size=(\d+)$/.exec(String(get(name).environment.NODE_OPTIONS)) ?? [];
      const memory = mebibytes(get(name).deploy.resources.limits.memory);
      assert.ok(Number(heap) >= 128 && Number(heap) <= memory * 0.65 + 1, `${heap} of ${memory}`);
    });
  }

  test('product-service has room for the index of 100,000 products', () => {
    assert.ok(Number(/\d+/.exec(String(get('product-service').environment.NODE_OPTIONS))?.[0]) >= 384);
  });

  test('every variable has a default and stands in .env.example with it', () => {
    const variables = [...composeText.matchAll(/\$\{(\w+)(:?-)?([^}]*)\}/g)];
    for (const [text, , operator] of variables) assert.ok(operator, `${text} has a default`);
    const used = Object.fromEntries(
      variables.filter(([, name]) => name !== 'ROTATE_SECRETS').map(([, name = '', , value = '']) => [name, value]),
    );
    assert.deepEqual({ ...parseEnv(read('.env.example')) }, used);
  });
});

describe('profiles', () => {
  test('observability runs unless core is asked for, load only if it is', () => {
    for (const [name, { profiles }] of Object.entries(services)) {
      const wanted = observability.includes(name) ? ['', 'observability', 'load'] : name === 'load' ? ['load'] : [];
      assert.deepEqual(profiles, wanted, name);
    }
  });

  test('nothing of the shop waits for observability', () => {
    for (const [name, { depends_on: others }] of Object.entries(services)) {
      if (observability.includes(name)) continue;
      assert.deepEqual(
        Object.keys(others).filter(other => observability.includes(other)),
        [],
        name,
      );
    }
  });
});

describe('the image', () => {
  const dockerfile = read('Dockerfile');

  test('is made from packages of one workspace, without those of development, and runs Node as nobody special', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
    for (const name of workspaces) assert.ok(dockerfile.includes(`\nCOPY ${name}/package.json ${name}/\n`), name);
    assert.match(dockerfile, /npm ci --omit=dev .*--workspace @tradepost\/\$SERVICE/);
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    assert.match(last, /^\nFROM node:24-bookworm-slim$/m);
    assert.match(last, /^USER node$/m);
    assert.match(last, /^HEALTHCHECK /m);
    assert.match(last, /^CMD \["node", "--max-semi-space-size=8", "src\/index\.ts"\]$/m);
    assert.doesNotMatch(last, /npm|curl/);
  });

  test('holds neither secrets nor tests', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const line of ['*', '**/.env', '**/.env.*', '**/*.test.ts', '**/*.testing.ts'])
      assert.ok(ignored.includes(line));
    assert.ok(!ignored.some(line => line.startsWith('!docker') || line === '!.'));
  });
});
