/**
 * Runs on real servers what else runs on embedded ones: the suites of the bus and of services, and the shop as processes
 * while its servers and its processes fail. The servers are started here, on free ports, from the programs that
 * MONGOD_BIN, CONSUL_BIN and RABBITMQ_SERVER_BIN name; with REDIS_SERVER_BIN also the limits that gateways share.
 *
 *   npm run test:real -- [PATTERN...]
 */
import { availableParallelism } from 'node:os';
import { programs, redisProgram, startMongod, startRabbit } from './servers.ts';
import { close, closeWithout, isMissing, runFiles, runUnderLoad } from './suite.ts';

const missing = programs.filter(isMissing);

if (missing.length > 0) closeWithout(missing, 'the suite on real servers');
else {
  const patterns = process.argv.slice(2);
  if (isMissing(redisProgram)) {
    delete process.env[redisProgram];
    process.stdout.write(`No program at ${redisProgram}: limits that gateways share are left out\n`);
  }
  close(
    patterns.length > 0
      ? [await runUnderLoad(patterns)]
      : [await runParts(), await runUnderLoad(['tests/real/*.real.ts'])],
  );
}

/** The suites that take a server by its address. */
async function runParts() {
  const servers = await Promise.all([startMongod(), startRabbit()]);
  const [mongod, rabbit] = servers;
  try {
    return await runFiles(
      ['shared/messaging/*.int.test.ts', '{inventory,order,payment}-service/src/**/*.int.test.ts'],
      availableParallelism(),
      { TEST_MONGODB_URI: mongod.url, RABBITMQ_URL: rabbit.url },
    );
  } finally {
    await Promise.all(servers.map(server => server.close()));
  }
}
