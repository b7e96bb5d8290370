import { type Container, type KubernetesObject, named, type PodSpec } from './objects.ts';

/** A change that breaks one rule, and what is said of it. */
type Planted<Change> = readonly [name: string, fault: RegExp, plant: Change];
type InPod = Planted<(pod: PodSpec, container: Container) => void>;

/** For the pod of order-service in the demo, and its container. */
export const inOnePod: readonly InPod[] = [
  ...(['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map(
    (probe): InPod => [
      `no ${probe}`,
      new RegExp(`Deployment order-service, service: has no ${probe}`),
      (_pod, container) => delete container[probe],
    ],
  ),
  [
    'a probe of a port that is not there',
    /has no livenessProbe/,
    (_pod, { livenessProbe }) => (livenessProbe!.httpGet!.port = 'web'),
  ],
  [
    'liveness that asks the database',
    /not asked for \/health\/live/,
    (_pod, { livenessProbe }) => (livenessProbe!.httpGet!.path = '/health/ready'),
  ],
  ['no limits', /has no limits/, (_pod, { resources }) => delete resources?.limits],
  ['no limit of memory', /has no limits/, (_pod, { resources }) => (resources!.limits = { cpu: '1' })],
  ['no requests', /has no requests/, (_pod, { resources }) => delete resources?.requests],
  [
    'an image without a tag',
    /tag of tradepost\/order-service is not fixed/,
    (_pod, container) => (container.image = 'tradepost/order-service'),
  ],
  ['the latest image', /tag of .*:latest is not fixed/, (_pod, container) => (container.image += ':latest')],
  ['an image of a whole series', /tag of mongo:8 is not fixed/, (_pod, container) => (container.image = 'mongo:8')],
  ['root', /may run as root/, pod => (pod.securityContext!.runAsNonRoot = false)],
  ['the number of root', /may run as root/, pod => (pod.securityContext!.runAsUser = 0)],
  ['root in a container', /runs as root/, (_pod, container) => (container.securityContext!.runAsUser = 0)],
  ['no seccomp profile', /has no seccomp profile/, pod => delete pod.securityContext?.seccompProfile],
  ['a token', /gets a token/, pod => (pod.automountServiceAccountToken = true)],
  ['an account', /has an account/, pod => (pod.serviceAccountName = 'secrets')],
  ["the node's network", /shares the node/, pod => (pod.hostNetwork = true)],
  ["the node's files", /mounts the node/, pod => pod.volumes?.push({ name: 'x', hostPath: {} })],
  ['privileges', /may gain privileges/, (_pod, container) => (container.securityContext!.privileged = true)],
  [
    'escalation',
    /may gain privileges/,
    (_pod, container) => delete container.securityContext?.allowPrivilegeEscalation,
  ],
  [
    'a root that can be written',
    /may write to its image/,
    (_pod, container) => (container.securityContext!.readOnlyRootFilesystem = false),
  ],
  [
    'a capability',
    /has capabilities/,
    (_pod, container) => (container.securityContext!.capabilities!.add = ['NET_ADMIN']),
  ],
  ['capabilities kept', /has capabilities/, (_pod, container) => delete container.securityContext?.capabilities],
  ['a mount of nothing', /mounts a volume that is not there/, pod => (pod.volumes = [])],
  [
    'an unhardened helper',
    /helper: may gain privileges/,
    (pod, container) => (pod.initContainers = [{ ...container, name: 'helper', securityContext: {} }]),
  ],
  ['a hurried end', /killed while it stops/, pod => (pod.terminationGracePeriodSeconds = 15)],
  ['an end before it is known', /leaves before others know it/, (_pod, container) => delete container.lifecycle],
  ['no spread', /not spread/, pod => delete pod.topologySpreadConstraints],
  [
    'a setting that nobody reads',
    /nothing reads SAGA_LEASE/,
    (_pod, { env }) => env?.push({ name: 'SAGA_LEASE', value: '1' }),
  ],
  [
    'a setting that does not fit',
    /SAGA_LEASE_MS: must be at least/,
    (_pod, { env }) => env?.push({ name: 'SAGA_LEASE_MS', value: '1' }),
  ],
  [
    'a file that no Secret has',
    /which Secret order-service has not/,
    (_pod, { env }) => env?.push({ name: 'CONSUL_URL_FILE', value: '/run/secrets/consul-url' }),
  ],
  [
    'a password in the open',
    /RABBITMQ_URL stands in the open/,
    (_pod, { env }) => env?.push({ name: 'RABBITMQ_URL', value: 'amqp://shop:x9@rabbitmq:5672' }),
  ],
  [
    'a port that no policy allows',
    /order-service → CONSUL_URL: no NetworkPolicy allows port 8500/,
    (_pod, { env }) => env?.push({ name: 'CONSUL_URL', value: 'http://10.0.0.1:8500' }),
  ],
  [
    'a name that is no Service',
    /there is no Service products/,
    (_pod, { env }) => env?.push({ name: 'PRODUCT_SERVICE_URL', value: 'http://products:3002' }),
  ],
  [
    'a port where nothing listens',
    /nothing listens at product-service:80/,
    (_pod, { env }) => env?.push({ name: 'PRODUCT_SERVICE_URL', value: 'http://product-service' }),
  ],
  [
    'metrics where nothing listens',
    /scraped where nothing listens/,
    (_pod, container) => (container.ports = [{ name: 'http', containerPort: 3005 }]),
  ],
];

const remove = (kind: string, name: string) => (objects: KubernetesObject[]) =>
  void objects.splice(objects.indexOf(named(objects, kind, name)!), 1);
/** What an object of the rendered ones says; fails where it is not. */
export const specOf = (objects: KubernetesObject[], kind: string, name: string) => named(objects, kind, name)!.spec!;

/** For all objects of the demo. */
export const inTheRest: readonly Planted<(objects: KubernetesObject[]) => void>[] = [
  [
    'a Secret with a value',
    /Secret extra: holds a value at token/,
    objects =>
      objects.push({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'extra', namespace: 'tradepost' },
        stringData: { token: 'x' },
      }),
  ],
  [
    'a password in a ConfigMap',
    /MONGODB_URI stands in the open/,
    objects =>
      (objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('settings'))!
        .data!.MONGODB_URI = 'mongodb://a:b@c/d'),
  ],
  ['no autoscaler', /Deployment gateway: is not scaled/, remove('HorizontalPodAutoscaler', 'gateway')],
  ['no disruption budget', /Deployment gateway: has no disruption budget/, remove('PodDisruptionBudget', 'gateway')],
  ['a fixed number of instances', /fixes a number/, objects => (specOf(objects, 'Deployment', 'gateway').replicas = 2)],
  [
    'one address for all instances',
    /hides its instances/,
    objects => delete specOf(objects, 'Service', 'user-service').clusterIP,
  ],
  [
    'another namespace',
    /Service gateway: is not in the namespace/,
    objects => (named(objects, 'Service', 'gateway')!.metadata.namespace = 'default'),
  ],
  [
    'a namespace that takes every pod',
    /does not enforce restricted/,
    objects => (named(objects, 'Namespace', 'tradepost')!.metadata.labels = {}),
  ],
  [
    'no way to a database',
    /order-service → MONGODB_URI: no NetworkPolicy allows port 27017/,
    remove('NetworkPolicy', 'order-db'),
  ],
  [
    'no way to the broker',
    /gateway → RABBITMQ_URL: no NetworkPolicy allows port 5672/,
    remove('NetworkPolicy', 'broker'),
  ],
  ['no way to names', /→ names: no NetworkPolicy allows port 53/, remove('NetworkPolicy', 'names')],
  [
    'no way to the collector of traces',
    /→ traces: no NetworkPolicy allows port 4318/,
    remove('NetworkPolicy', 'traces'),
  ],
  [
    'no way to the provider',
    /payment-service → STRIPE_API_BASE: no NetworkPolicy allows port 443/,
    objects => specOf(objects, 'NetworkPolicy', 'payment-service').egress!.pop(),
  ],
  [
    'no way for metrics',
    /metrics → Deployment gateway: no NetworkPolicy allows port 9100/,
    objects => specOf(objects, 'NetworkPolicy', 'gateway').ingress!.pop(),
  ],
  [
    'no way for clients',
    /clients → Deployment gateway: no NetworkPolicy allows port 3000/,
    objects => specOf(objects, 'NetworkPolicy', 'gateway').ingress!.shift(),
  ],
  [
    'no way from one service to another',
    /order-service → PAYMENT_SERVICE_URL: no NetworkPolicy allows port 3005/,
    objects => specOf(objects, 'NetworkPolicy', 'payment-service').ingress![0]!.from!.splice(1, 1),
  ],
  [
    'nothing denied',
    /the world → Deployment order-service: port 3004 is open/,
    objects => {
      remove('NetworkPolicy', 'nothing-else')(objects);
      remove('NetworkPolicy', 'order-service')(objects);
    },
  ],
  [
    'a database for all services',
    /Deployment order-service → StatefulSet user-db: port 27017 is open/,
    objects => delete specOf(objects, 'NetworkPolicy', 'user-db').ingress![0]!.from,
  ],
  [
    'a way into the world',
    /Deployment order-service → 54.*: port 443 is open/,
    objects => specOf(objects, 'NetworkPolicy', 'order-service').egress!.push({ ports: [{ port: 443 }] }),
  ],
];
