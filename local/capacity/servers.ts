/** A kind of server that is rented by the hour. */
export interface ServerKind {
  name: string;
  cores: number;
  memoryGiB: number;
  dollarsPerHour: number;
}

/** The largest server of what can be spread over several: a shard, a node of the broker. */
export const largestShard: ServerKind = { name: 'm7g.4xlarge', cores: 16, memoryGiB: 64, dollarsPerHour: 0.6528 };
/** The largest server of all, for what stays whole. */
export const largestServer: ServerKind = { name: 'm7g.16xlarge', cores: 64, memoryGiB: 256, dollarsPerHour: 2.6112 };

/**
 * On-demand list prices of Amazon Web Services, region us-east-1, Linux, without tax, discounts and commitments. They change:
 * look them up before you count on them, and change them here.
 */
export const priceList = {
  name: 'AWS on demand, us-east-1',
  /** When the pages were read from which they come. */
  date: '2026-06-17',
  pages: [
    'https://aws.amazon.com/ec2/pricing/on-demand/',
    'https://aws.amazon.com/ebs/pricing/',
    'https://aws.amazon.com/eks/pricing/',
    'https://aws.amazon.com/elasticloadbalancing/pricing/',
  ],
  /** For services: eight replicas, a processor each. */
  serviceNode: { name: 'c7g.2xlarge', cores: 8, memoryGiB: 16, dollarsPerHour: 0.29 } satisfies ServerKind,
  /** For databases and brokers, from small to large. */
  dataServers: [
    { name: 'm7g.large', cores: 2, memoryGiB: 8, dollarsPerHour: 0.0816 },
    { name: 'm7g.xlarge', cores: 4, memoryGiB: 16, dollarsPerHour: 0.1632 },
    { name: 'm7g.2xlarge', cores: 8, memoryGiB: 32, dollarsPerHour: 0.3264 },
    largestShard,
    { name: 'm7g.8xlarge', cores: 32, memoryGiB: 128, dollarsPerHour: 1.3056 },
    largestServer,
  ] satisfies ServerKind[],
  /** EBS gp3: 3,000 IOPS and 125 MB/s belong to each volume. */
  disk: { dollarsPerGBMonth: 0.08, includedMBps: 125, dollarsPerMBpsMonth: 0.04, mostMBps: 1_000 },
  /** To the internet: dollars for each GB of a month up to so many TB (the first 100 GB, which are free, are left out). */
  egress: [
    { upToTB: 10, dollarsPerGB: 0.09 },
    { upToTB: 50, dollarsPerGB: 0.085 },
    { upToTB: 150, dollarsPerGB: 0.07 },
    { upToTB: Number.POSITIVE_INFINITY, dollarsPerGB: 0.05 },
  ],
  /** Between zones, on both sides together. */
  dollarsPerGBBetweenZones: 0.02,
  /** A control plane of Kubernetes, and a network load balancer with the bytes that pass it. */
  clusterDollarsPerHour: 0.1,
  balancer: { dollarsPerHour: 0.0225, dollarsPerGB: 0.006 },
} as const;

/** The smallest one with so many processors and so much memory, or the largest. */
export const smallestServer = (cores: number, memoryGiB = 0): ServerKind =>
  priceList.dataServers.find(server => server.cores >= cores && server.memoryGiB >= memoryGiB) ?? largestServer;

export const hoursPerMonth = 730;
export const [megabyte, gigabyte, terabyte] = [1e6, 1e9, 1e12] as const;
