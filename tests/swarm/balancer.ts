/**
 * Shares connections among the healthy tasks of the gateway, as the ingress of a Swarm does, in a container on the gateway's
 * network. It stands alone: its container has nothing but this file.
 */
import { lookup } from 'node:dns/promises';
import { connect, createServer, type Socket } from 'node:net';

const [port, lookMs] = [3_000, 200];
let addresses: string[] = [];
let turn = 0;

async function keepLooking(): Promise<void> {
  const found = await lookup('tasks.gateway', { all: true, family: 4 }).catch(() => []);
  addresses = found.map(({ address }) => address).sort();
  setTimeout(keepLooking, lookMs);
}

function join(client: Socket, tries: number): void {
  const address = addresses[turn % Math.max(1, addresses.length)];
  turn += 1;
  if (address === undefined) {
    client.destroy();
    return;
  }
  const server = connect(port, address);
  let isJoined = false;
  server.once('connect', () => {
    isJoined = true;
    client.pipe(server).pipe(client);
  });
  server.on('error', () => {
    // Nothing was sent yet: as good as new.
    if (!isJoined && tries > 1) join(client, tries - 1);
    else client.destroy();
  });
  server.once('close', () => isJoined && client.destroy());
  client.once('close', () => server.destroy());
}

void keepLooking();
createServer({ allowHalfOpen: true, noDelay: true }, client => {
  client.on('error', () => client.destroy());
  join(client, 3);
}).listen(port);
process.once('SIGTERM', () => process.exit(0));
