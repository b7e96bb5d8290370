/**
 * Makes the secrets of the shop in containers that are missing, as files in docker/secrets, and checks those that are
 * there.
 *
 *   npm run init-secrets
 */
import { fileURLToPath } from 'node:url';
import { runClient } from '../reachShop.ts';
import { readSecretFiles, writeSecretFile } from '../secrets/files.ts';
import { checkSecrets, secretKinds } from '../secrets/secrets.ts';

const folder = fileURLToPath(new URL('../../docker/secrets', import.meta.url));

await runClient(async () => {
  const there = readSecretFiles(folder);
  checkSecrets(there);
  const missing = secretKinds.filter(({ name, make }) => make && !there.has(name));
  for (const { name, make } of missing) writeSecretFile(folder, name, make?.() ?? '', 0o600);
  const names = missing.map(({ name }) => name).join(', ');
  process.stdout.write(missing.length > 0 ? `Made in docker/secrets: ${names}\n` : 'All secrets are there\n');
  process.stdout.write('Keep a copy: without token-key-secret and the passwords the data cannot be opened.\n');
});
