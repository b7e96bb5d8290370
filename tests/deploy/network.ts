import { BlockList } from 'node:net';
import { type KubernetesObject, type Labels, type Peer, type PolicyPort, type Selector, selects } from './objects.ts';

/** One end of a connection: a pod of the shop, any pod of another namespace, or an address outside of the cluster. */
export type End = { pod: Labels } | { namespace: string } | { address: string };

export interface Connection {
  from: End;
  to: End;
  port: number;
  protocol?: 'TCP' | 'UDP';
}

/** Labels of a pod as people call it. */
export const podNamed = (name: string, component: string): End => ({
  pod: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': component },
});

/**
 * Whether the NetworkPolicies let a connection pass: those that select its beginning allow it out, and those that select
 * its end allow it in; a pod that none selects is open.
 */
export function passes(
  objects: readonly KubernetesObject[],
  { from, to, port, protocol = 'TCP' }: Connection,
): boolean {
  const policies = objects.filter(object => object.kind === 'NetworkPolicy').map(object => object.spec ?? {});
  const allowed = (end: End, direction: 'Ingress' | 'Egress', other: End): boolean => {
    if (!('pod' in end)) return true;
    const own = policies.filter(
      policy => policy.policyTypes?.includes(direction) && selects(policy.podSelector ?? {}, end.pod),
    );
    if (own.length === 0) return true;
    const rules = own.flatMap(policy =>
      direction === 'Ingress'
        ? (policy.ingress ?? []).map(rule => ({ peers: rule.from, ports: rule.ports }))
        : (policy.egress ?? []).map(rule => ({ peers: rule.to, ports: rule.ports })),
    );
    return rules.some(({ peers, ports }) => takesPeer(peers, other) && takesPort(ports, port, protocol));
  };
  return allowed(from, 'Egress', to) && allowed(to, 'Ingress', from);
}

const takesPort = (ports: PolicyPort[] | undefined, port: number, protocol: string): boolean =>
  ports === undefined ||
  ports.some(
    one =>
      (one.protocol ?? 'TCP') === protocol &&
      (one.port === undefined || (port >= Number(one.port) && port <= (one.endPort ?? Number(one.port)))),
  );

const takesPeer = (peers: Peer[] | undefined, end: End): boolean =>
  peers === undefined || peers.length === 0 || peers.some(peer => isPeer(peer, end));

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, end: End): boolean {
  if ('address' in end) return ipBlock !== undefined && inBlock(ipBlock, end.address);
  if (ipBlock !== undefined) return false;
  if ('namespace' in end) {
    const labels = { 'kubernetes.io/metadata.name': end.namespace };
    return namespaceSelector !== undefined && podSelector === undefined && selects(namespaceSelector, labels);
  }
  // Without a namespace it means pods of the policy's own.
  return namespaceSelector === undefined && selects(podSelector as Selector, end.pod);
}

function inBlock({ cidr, except = [] }: NonNullable<Peer['ipBlock']>, address: string): boolean {
  const within = (block: string): boolean => {
    const [network = '', bits] = block.split('/');
    const list = new BlockList();
    list.addSubnet(network, Number(bits), 'ipv4');
    return list.check(address, 'ipv4');
  };
  return within(cidr) && !except.some(within);
}
