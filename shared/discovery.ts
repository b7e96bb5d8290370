/** Where the instances of a service are. */
export interface Discovery {
  /** Base addresses of the healthy instances (`http://host:port`), in the order in which they should be tried next. */
  instances(service: ServiceName): readonly string[];
  close(): Promise<void>;
}

export const serviceNames = [
  'user-service',
  'product-service',
  'inventory-service',
  'order-service',
  'payment-service',
] as const;

export type ServiceName = (typeof serviceNames)[number];

/** Fixed addresses, taken in turn. A service may have several, separated by commas in its setting. */
export function staticDiscovery(addresses: Readonly<Record<ServiceName, readonly string[]>>): Discovery {
  const next = new Map<ServiceName, number>();
  return {
    instances(service) {
      const all = addresses[service];
      const start = next.get(service) ?? 0;
      next.set(service, (start + 1) % Math.max(1, all.length));
      return [...all.slice(start), ...all.slice(0, start)];
    },
    close: async () => {},
  };
}
