import { drainMs } from '@tradepost/shared/main';
import {
  type Container,
  type KubernetesObject,
  named,
  type Probe,
  selects,
  type Workload,
  workloadsIn,
} from './objects.ts';

/** One broken rule, as a line for the person who broke it. */
export type Violation = string;

/** Milliseconds after which a process that was told to stop ends itself, and for which names are remembered elsewhere. */
const [stopLimitMs, nameServerMs] = [20_000, 5_000];

/** All rules that hold for the objects of every overlay. */
export function violations(objects: readonly KubernetesObject[]): Violation[] {
  const workloads = workloadsIn(objects);
  return [
    ...objects.flatMap(secretViolations),
    ...namespaceViolations(objects),
    ...workloads.flatMap(workload => [
      ...podViolations(workload),
      ...containersOf(workload).flatMap(container =>
        containerViolations(container, workload).map(fault => `${workload.id}, ${container.name}: ${fault}`),
      ),
    ]),
    ...workloads.filter(isService).flatMap(workload => serviceViolations(workload, objects)),
  ];
}

const isService = (workload: Workload): boolean => workload.labels['app.kubernetes.io/component'] === 'service';

const containersOf = ({ pod }: Workload): Container[] => [...pod.containers, ...(pod.initContainers ?? [])];

const secretName = /(SECRET|PASSWORD|TOKEN|KEY|URI|RABBITMQ_URL|REDIS_URL)$/;
const withPassword = /:\/\/[^/\s]*:[^/\s]*@/;

/** Values that only a Secret may hold, and a Secret of ours holds none at all. */
function secretViolations(object: KubernetesObject): Violation[] {
  const id = `${object.kind} ${object.metadata.name}`;
  if (object.kind === 'Secret') {
    const filled = Object.keys({ ...object.data, ...object.stringData });
    return filled.map(key => `${id}: holds a value at ${key}`);
  }
  const shown = (name: string, value: string) => value !== '' && (secretName.test(name) || withPassword.test(value));
  const inMaps = Object.entries(object.kind === 'ConfigMap' ? (object.data ?? {}) : {});
  const inPods = workloadsIn([object])
    .flatMap(containersOf)
    .flatMap(container => container.env ?? [])
    .map(({ name, value = '' }): [string, string] => [name, value]);
  return [...inMaps, ...inPods]
    .filter(([name, value]) => shown(name, value))
    .map(([name]) => `${id}: ${name} stands in the open`);
}

function namespaceViolations(objects: readonly KubernetesObject[]): Violation[] {
  const clusterWide = new Set(['Namespace']);
  const astray = objects
    .filter(({ kind, metadata }) => !clusterWide.has(kind) && metadata.namespace !== 'tradepost')
    .map(({ kind, metadata }) => `${kind} ${metadata.name}: is not in the namespace tradepost`);
  const labels = named(objects, 'Namespace', 'tradepost')?.metadata.labels ?? {};
  const enforced = labels['pod-security.kubernetes.io/enforce'] === 'restricted';
  return enforced ? astray : [...astray, 'Namespace tradepost: does not enforce restricted pods'];
}

function podViolations({ id, pod, name, kind }: Workload): Violation[] {
  const { securityContext: context = {} } = pod;
  const mayTalkToTheCluster = kind === 'Job' && name === 'secrets';
  const rules: [boolean, string][] = [
    [context.runAsNonRoot === true && (context.runAsUser ?? 0) > 0, 'may run as root'],
    [context.seccompProfile?.type === 'RuntimeDefault', 'has no seccomp profile'],
    [!(pod.hostNetwork || pod.hostPID || pod.hostIPC), "shares the node's namespaces"],
    [!(pod.volumes ?? []).some(volume => volume.hostPath), "mounts the node's folders"],
    [pod.automountServiceAccountToken === mayTalkToTheCluster, 'gets a token of the cluster, or not the one it needs'],
    [(pod.serviceAccountName !== undefined) === mayTalkToTheCluster, 'has an account that is not its own'],
    [pod.enableServiceLinks === false, 'gets settings named after other services'],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => `${id}: ${fault}`);
}

const fixedTag = /^[\w./-]+(:\d+\.\d+\.\d+(-[\w.]+)?(@sha256:[\da-f]{64})?|@sha256:[\da-f]{64})$/;

function containerViolations(container: Container, { object, pod, kind }: Workload): Violation[] {
  const { securityContext: context = {}, resources = {}, volumeMounts = [] } = container;
  const volumes = [...(pod.volumes ?? []), ...(object.spec?.volumeClaimTemplates ?? []).map(claim => claim.metadata)];
  const has = (of: object | undefined) => of !== undefined && 'cpu' in of && 'memory' in of;
  const runsOn = kind !== 'Job' && !pod.initContainers?.includes(container);
  const rules: [boolean, string][] = [
    [fixedTag.test(container.image), `the tag of ${container.image} is not fixed`],
    [has(resources.requests), 'has no requests of CPU and memory'],
    [has(resources.limits), 'has no limits of CPU and memory'],
    [context.allowPrivilegeEscalation === false && context.privileged !== true, 'may gain privileges'],
    [context.readOnlyRootFilesystem === true, 'may write to its image'],
    [context.capabilities?.drop?.includes('ALL') === true && !context.capabilities.add?.length, 'has capabilities'],
    [context.runAsUser === undefined || context.runAsUser > 0, 'runs as root'],
    [volumeMounts.some(mount => mount.mountPath === '/tmp'), 'has no /tmp'],
    [
      volumeMounts.every(mount => volumes.some(volume => volume.name === mount.name)),
      'mounts a volume that is not there',
    ],
    ...(['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map((probe): [boolean, string] => [
      !runsOn || asksSomething(container[probe], container),
      `has no ${probe}`,
    ]),
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => fault);
}

const asksSomething = (probe: Probe | undefined, container: Container): boolean =>
  probe?.exec !== undefined || (container.ports ?? []).some(port => port.name === probe?.httpGet?.port);

/** What the shop's own services have beside what every container has. */
function serviceViolations(
  { id, name, kind, object, pod, labels, annotations }: Workload,
  all: readonly KubernetesObject[],
) {
  const [container] = pod.containers;
  const asks = (probe: 'startupProbe' | 'livenessProbe' | 'readinessProbe') => container?.[probe]?.httpGet?.path;
  const { spec: scaler = {} } = named(all, 'HorizontalPodAutoscaler', name) ?? {};
  const { spec: budget = {} } = named(all, 'PodDisruptionBudget', name) ?? {};
  const { spec: service = {} } = named(all, 'Service', name) ?? {};
  const ports = (container?.ports ?? []).map(port => port.containerPort);
  const preStopMs = (container?.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
  const maps = (container?.envFrom ?? []).map(({ configMapRef }) => named(all, 'ConfigMap', configMapRef?.name)?.data);
  const refreshMs = Number(maps.find(map => map?.DNS_REFRESH_MS)?.DNS_REFRESH_MS ?? 0);
  const spread = (pod.topologySpreadConstraints ?? []).filter(
    one => one.matchLabelKeys?.includes('app.kubernetes.io/name') && selects(one.labelSelector ?? {}, labels),
  );
  const rules: [boolean, string][] = [
    [kind === 'Deployment' && object.spec?.replicas === undefined, 'fixes a number of instances'],
    [
      asks('startupProbe') === '/health/live' && asks('livenessProbe') === '/health/live',
      'is not asked for /health/live',
    ],
    [asks('readinessProbe') === '/health/ready', 'is not asked for /health/ready'],
    [scaler.scaleTargetRef?.name === name && (scaler.minReplicas ?? 0) > 0, 'is not scaled'],
    [budget.maxUnavailable === 1 && selects(budget.selector ?? {}, labels), 'has no disruption budget'],
    [new Set(spread.map(one => one.topologyKey)).size === 2, 'is not spread over zones and nodes'],
    [Boolean(service.selector) && selects({ matchLabels: service.selector as never }, labels), 'has no Service'],
    [name === 'gateway' || service.clusterIP === 'None', 'hides its instances behind one address'],
    [refreshMs > 0 && preStopMs >= nameServerMs + refreshMs + 1_000, 'leaves before others know it'],
    [(pod.terminationGracePeriodSeconds ?? 30) * 1_000 >= preStopMs + stopLimitMs, 'is killed while it stops'],
    [stopLimitMs > drainMs, 'ends itself while it drains'],
    [annotations['prometheus.io/scrape'] === 'true', 'is not scraped'],
    [ports.includes(Number(annotations['prometheus.io/port'])), 'is scraped where nothing listens'],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => `${id}: ${fault}`);
}
