import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, loadConfig } from '@tradepost/shared/config';
import { StartError } from '@tradepost/shared/lifecycle';
import type { Registry } from '@tradepost/shared/observability/metrics';
import { createGateway, readOpenApi } from '../gateway/src/app.ts';
import { type GatewayConfig, settings } from '../gateway/src/config.ts';
import type { Parts } from './parts.ts';
import type { ShopPorts } from './ports.ts';
import type { Teardown } from './teardown.ts';

/**
 * Reads the gateway's own settings.
 * @throws ConfigError that names every setting which is wrong
 */
export const gatewayConfig = (environment: Environment): GatewayConfig => loadConfig(settings, environment);

const [pauseMs, readyAfterMs] = [10, 15_000];

/** Puts the gateway on its ports and waits until it is ready. */
export async function startGateway(
  { dependenciesOf, revocations }: Parts,
  registry: Registry,
  config: GatewayConfig,
  ports: ShopPorts,
  teardown: Teardown,
): Promise<void> {
  const dependencies = dependenciesOf('gateway', registry);
  const gateway = createGateway(
    { ...dependencies, verify: dependencies.verify.user, revocations, openapi: readOpenApi() },
    config,
  );
  ports.gateway.serve(gateway.listener);
  ports.gatewayMetrics.serve(gateway.metricsListener);
  teardown.add('gateway', 4_000, () => Promise.all([gateway.stop(), ports.gateway.close(3_500)]));
  await gateway.start();
  // It looks for the services by itself; a shop is ready when its gateway says so.
  for (let waitedMs = 0; !gateway.isReady(); waitedMs += pauseMs) {
    if (waitedMs >= readyAfterMs) throw new StartError('The gateway does not find the services');
    await sleep(pauseMs);
  }
}
