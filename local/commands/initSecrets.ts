/**
 * Makes the secrets of the shop in containers that are missing, as files in docker/secrets, and checks those that are
 * there. With --stack it also writes what deploy/swarm.yml gives each container, into docker/secrets/stack.
 *
 *   npm run init-secrets [-- --stack] [--folder FOLDER]
 */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runClient } from '../reachShop.ts';
import { readSecretFiles, writeSecretFile } from '../secrets/files.ts';
import { writeContainerFiles } from '../secrets/handOut.ts';
import { checkSecrets, secretKinds } from '../secrets/secrets.ts';

const usual = fileURLToPath(new URL('../../docker/secrets', import.meta.url));

await runClient(async () => {
  const { values } = parseArgs({
    options: { stack: { type: 'boolean', default: false }, folder: { type: 'string', default: usual } },
  });
  const { folder } = values;
  const shown = relative('.', folder) || '.';
  const there = readSecretFiles(folder);
  checkSecrets(there);
  const missing = secretKinds.filter(({ name, make }) => make && !there.has(name));
  for (const { name, make } of missing) writeSecretFile(folder, name, make?.() ?? '', 0o600);
  const names = missing.map(({ name }) => name).join(', ');
  process.stdout.write(missing.length > 0 ? `Made in ${shown}: ${names}\n` : 'All secrets are there\n');
  if (values.stack) {
    writeContainerFiles(join(folder, 'stack'), readSecretFiles(folder), 0o600);
    process.stdout.write(`Wrote what each container is given into ${join(shown, 'stack')}\n`);
  }
  process.stdout.write('Keep a copy: without token-key-secret and the passwords the data cannot be opened.\n');
});
