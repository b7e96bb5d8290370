import { runClient } from '../reachShop.ts';
import { shard } from '../sharding/cli.ts';

await runClient(() => shard(process.argv.slice(2), line => void process.stdout.write(`${line}\n`)));
