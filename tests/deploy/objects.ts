import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../architecture/sourceFiles.ts';

export type Labels = Readonly<Record<string, string>>;

/** The parts of Kubernetes' objects that the tests look at (https://kubernetes.io/docs/reference/kubernetes-api/). */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels; annotations?: Labels };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec?: Spec;
  rules?: { resources: string[]; verbs: string[]; resourceNames?: string[] }[];
}

export interface Spec {
  replicas?: number;
  clusterIP?: string;
  selector?: { matchLabels?: Labels } & Record<string, unknown>;
  ports?: { name?: string; port: number; targetPort?: number | string }[];
  template?: { metadata: { labels?: Labels; annotations?: Labels }; spec: PodSpec };
  volumeClaimTemplates?: { metadata: { name: string } }[];
  scaleTargetRef?: { name: string };
  minReplicas?: number;
  maxReplicas?: number;
  maxUnavailable?: number;
  podSelector?: Selector;
  policyTypes?: string[];
  ingress?: { from?: Peer[]; ports?: PolicyPort[] }[];
  egress?: { to?: Peer[]; ports?: PolicyPort[] }[];
  tls?: { hosts: string[] }[];
}

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}

export interface PolicyPort {
  port?: number | string;
  endPort?: number;
  protocol?: string;
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: {
    name: string;
    secret?: { secretName: string };
    configMap?: { name: string };
    hostPath?: object;
  }[];
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  topologySpreadConstraints?: { topologyKey: string; labelSelector?: Selector; matchLabelKeys?: string[] }[];
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } };
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  exec?: { command: string[] };
}

export interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef?: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  resources?: { requests?: Labels; limits?: Labels };
  securityContext?: {
    privileged?: boolean;
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    runAsUser?: number;
    capabilities?: { drop?: string[]; add?: string[] };
  };
  volumeMounts?: { name: string; mountPath: string }[];
}

export const overlays = ['demo', 'production'] as const;
export type Overlay = (typeof overlays)[number];

export const folderOf = (overlay: Overlay): string => join(root, 'deploy', 'kubernetes', 'overlays', overlay);

const kubectl = process.env.KUBECTL || 'kubectl';

/** Why nothing can be rendered here, or false. */
export const cannotRender: string | false =
  spawnSync(kubectl, ['version', '--client'], { stdio: 'ignore' }).status === 0
    ? false
    : `no program at ${kubectl}: the manifests were not rendered`;

/** What `kubectl apply -k` of a folder would send, as text. @throws when it cannot be rendered */
export const rendered = (folder: string): string => execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });

/** What `kubectl apply -k` of a folder would send. */
export const render = (folder: string): KubernetesObject[] =>
  parseAllDocuments(rendered(folder)).map(document => document.toJS() as KubernetesObject);

/** An object that runs containers, with what its pods are made from. */
export interface Workload {
  /** `Deployment gateway` */
  id: string;
  kind: string;
  name: string;
  object: KubernetesObject;
  labels: Labels;
  annotations: Labels;
  pod: PodSpec;
}

export const workloadsIn = (objects: readonly KubernetesObject[]): Workload[] =>
  objects.flatMap(object => {
    const template = object.spec?.template;
    if (!template) return [];
    const { name } = object.metadata;
    const { labels = {}, annotations = {} } = template.metadata;
    return [{ id: `${object.kind} ${name}`, kind: object.kind, name, object, labels, annotations, pod: template.spec }];
  });

export const named = (
  objects: readonly KubernetesObject[],
  kind: string,
  name: string | undefined,
): KubernetesObject | undefined => objects.find(object => object.kind === kind && object.metadata.name === name);

/** Whether a selector takes what has these labels; an empty one takes everything. */
export function selects(selector: Selector, labels: Labels): boolean {
  const all = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return all && (selector.matchExpressions ?? []).every(expression => fits(expression, labels));
}

function fits({ key, operator, values = [] }: NonNullable<Selector['matchExpressions']>[0], labels: Labels): boolean {
  const value = labels[key];
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isOneOf = value !== undefined && values.includes(value);
  return operator === 'In' ? isOneOf : !isOneOf;
}
