/**
 * Kills and freezes members of a MongoDB replica set and nodes of a RabbitMQ cluster while the shop takes orders at 20 a
 * second, or as many as the machine bears, and checks the books each time. The servers are started here, on free ports,
 * from the programs that MONGOD_BIN and RABBITMQ_SERVER_BIN name.
 *
 *   npm run test:cluster -- [--short] [PATTERN...]
 */
import { parseArgs } from 'node:util';
import { close, closeWithout, isMissing, runUnderLoad } from '../real/suite.ts';

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const missing = ['MONGOD_BIN', 'RABBITMQ_SERVER_BIN'].filter(isMissing);

if (missing.length > 0) closeWithout(missing, 'the suite on clusters');
else {
  const patterns = positionals.length > 0 ? positionals : ['tests/cluster/*.cluster.ts'];
  close([await runUnderLoad(patterns, { TEST_CLUSTER_SHORT: String(values.short) })]);
}
