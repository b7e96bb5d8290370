import { setTimeout as sleep } from 'node:timers/promises';
import { commonSettings, loadConfig } from '@tradepost/shared/config';
import { listen } from '@tradepost/shared/http/listener';
import { runProgram, StartError, withinMs } from '@tradepost/shared/lifecycle';
import { createLogger } from '@tradepost/shared/logger';
import { drainMs, lingerMs } from '@tradepost/shared/main';
import { openTracing } from '@tradepost/shared/observability/tracing';
import { openProcessParts } from '@tradepost/shared/processParts';
import { createGateway, listenLimits, readOpenApi } from './app.ts';
import { settings } from './config.ts';

await runProgram(async () => {
  const common = loadConfig(commonSettings, process.env);
  const config = loadConfig(settings, process.env);
  const tracing = await openTracing(process.env, createLogger('gateway', common.LOG_LEVEL), 'gateway');
  const parts = openProcessParts('gateway', common, tracing);
  const { logger, bus, discovery, verify } = parts;
  const gateway = createGateway({ ...parts, verify: verify.user, openapi: readOpenApi() }, config);
  const open = (listener: typeof gateway.listener, port: number, limits: object) =>
    listen(listener, { port, host: common.HOST, ...limits }).catch((error: Error) => {
      throw new StartError(`gateway cannot listen on port ${port}: ${error.message}`);
    });
  const [listener, metrics] = [
    await open(gateway.listener, common.PORT, listenLimits),
    await open(gateway.metricsListener, config.METRICS_PORT, {}),
  ];
  logger.info({ port: listener.port, metricsPort: metrics.port }, 'listening');
  await gateway.start();
  const registration = parts.announce(listener.port, metrics.port);
  return {
    async stop() {
      logger.info('stopping');
      gateway.leave();
      listener.leave();
      await withinMs(2_000, registration.deregister());
      await sleep(lingerMs);
      await withinMs(drainMs, Promise.all([gateway.stop(), listener.close(drainMs), metrics.close(1_000)]));
      await withinMs(2_000, Promise.all([bus.close(), discovery.close(), tracing?.close()]));
      logger.info('stopped');
    },
  };
});
