import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { commonSettings, databaseSettings, loadConfig } from './config.ts';
import { listen } from './http/listener.ts';
import { runProgram, StartError, untilAvailable, withinMs } from './lifecycle.ts';
import { createLogger } from './logger.ts';
import { createConnection, ensureConnected } from './mongo.ts';
import { openTracing } from './observability/tracing.ts';
import { openProcessParts } from './processParts.ts';
import type { Service, ServiceDependencies } from './service.ts';

/** Milliseconds that requests and workers have to finish when the process is told to stop. */
export const drainMs = 10_000;
/** Milliseconds for which a process that was told to stop still takes requests, until others have heard that it leaves. */
export const lingerMs = 500;

/**
 * Runs a service as a process of its own on MongoDB and RabbitMQ until it is told to stop. It listens at once, is ready
 * when its database and the broker were there, and never ends because one of them is lost.
 * @param options.settings the service's own settings beside the common ones
 */
export async function runService<S extends z.ZodRawShape>(options: {
  name: string;
  settings: S;
  createApp: (dependencies: ServiceDependencies, config: z.infer<z.ZodObject<S>>) => Service;
}): Promise<void> {
  await runProgram(async signal => {
    const common = loadConfig({ ...commonSettings, ...databaseSettings }, process.env);
    const config = loadConfig(options.settings, process.env);
    const tracing = await openTracing(process.env, createLogger(options.name, common.LOG_LEVEL), options.name);
    const parts = openProcessParts(options.name, common, tracing);
    const { logger, bus, discovery, revocations } = parts;
    const connection = createConnection(common.MONGODB_URI, { traced: tracing !== undefined });
    const service = options.createApp({ ...parts, connection }, config);
    const listener = await listen(service.listener, { port: common.PORT, host: common.HOST }).catch((error: Error) => {
      throw new StartError(`${options.name} cannot listen on port ${common.PORT}: ${error.message}`);
    });
    logger.info({ port: listener.port }, 'listening');
    // The first connection attempt may fail; starting tries again.
    connection.asPromise().catch(() => {});
    const start = async () => {
      await ensureConnected(connection, common.MONGODB_URI);
      await service.start();
      await revocations.start();
    };
    let started = false;
    const starting = untilAvailable(start, { what: 'a dependency', logger, random: Math.random, signal }).then(() => {
      started = true;
      if (!signal.aborted) logger.info('ready');
    });
    starting.catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    });
    const registration = parts.announce(listener.port);
    return {
      async stop() {
        logger.info('stopping');
        service.leave();
        listener.leave();
        await withinMs(2_000, registration.deregister());
        if (started) await sleep(lingerMs);
        // Or what waits for the broker would wait on.
        else await withinMs(2_000, bus.close());
        await withinMs(drainMs, Promise.all([starting.then(() => service.stop()), listener.close(drainMs)]));
        await withinMs(2_000, Promise.all([revocations.stop(), bus.close(), discovery.close()]));
        await withinMs(2_000, Promise.all([tracing?.close(), connection.close()]));
        logger.info('stopped');
      },
    };
  });
}
