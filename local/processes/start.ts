import { runProgram } from '@tradepost/shared/lifecycle';
import { silentLogger } from '@tradepost/shared/logger';
import { keepAdmin, keepSecrets, openDataFolder, runningFile } from '../dataFolder.ts';
import { localHost } from '../ports.ts';
import { seedDemo } from '../seed.ts';
import { createTeardown, type Teardown } from '../teardown.ts';
import { welcome } from '../welcome.ts';
import { startFleet } from './fleet.ts';
import { processOutput } from './output.ts';
import { placeInstances } from './ports.ts';
import { waitForServers } from './servers.ts';
import { type ProcessSettings, readProcessSettings } from './settings.ts';

const [serverLimitMs, readyLimitMs, stopLimitMs] = [10_000, 60_000, 50_000];

// Whoever read the output may be gone; the shop goes on without.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const print = (text: string) => void process.stdout.write(text);

await runProgram(async () => {
  const settings = readProcessSettings(process.env, process.argv.slice(2));
  const teardown = createTeardown(silentLogger());
  try {
    await start(settings, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
  return {
    async stop() {
      print('\nStopping …\n');
      await teardown.run();
    },
  };
}, stopLimitMs);

async function start(settings: ProcessSettings, teardown: Teardown): Promise<void> {
  await waitForServers(settings, serverLimitMs);
  const folder = openDataFolder(settings.dataDir);
  teardown.add('data folder', 1_000, async () => folder.release());
  const secrets = keepSecrets(folder);
  const admin = settings.admin ? { ...settings.admin, isNew: false } : keepAdmin(folder);
  const places = await placeInstances(settings.gatewayPort, settings.scale);
  const width = Math.max(...places.map(place => place.name.length));
  const fleet = startFleet({ settings, places, secrets, admin }, (place, index) => {
    return processOutput(print, place.name, index, width, process.stdout).line;
  });
  teardown.add('processes', 50_000, fleet.stop);
  await fleet.ready(readyLimitMs);

  const first = (service: string) => places.find(place => place.service === service)?.port ?? 0;
  const urlOf = (port: number) => `http://localhost:${port}`;
  if (settings.seedDemo) {
    await seedDemo({ folder, admin, addressOf: name => `http://${localHost}:${first(name)}` });
  }
  const gatewayUrl = urlOf(first('gateway'));
  folder.write(runningFile, { pid: process.pid, gatewayUrl, mongodbUri: settings.mongodbUri });
  teardown.add(runningFile, 1_000, async () => folder.remove(runningFile));

  const running = {
    ...{ admin, mongodbUri: settings.mongodbUri },
    ports: {
      gateway: { url: gatewayUrl },
      services: Object.fromEntries(
        places.filter(place => place.service !== 'gateway').map(({ name, port }) => [name, { url: urlOf(port) }]),
      ),
      gatewayMetrics: { url: urlOf(places.find(place => place.metricsPort)?.metricsPort ?? 0) },
    },
  };
  print(`\n${welcome(running, settings, performance.now() / 1_000)}`);
}
