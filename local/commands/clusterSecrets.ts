/**
 * Makes the Secrets of the shop that are missing in the namespace of a pod in Kubernetes, by the pod's own account.
 * Settings: KUBERNETES_API, SERVICE_ACCOUNT with the account's folder. NODE_EXTRA_CA_CERTS names the cluster's certificate.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@tradepost/shared/config';
import { z } from 'zod';
import { runClient } from '../reachShop.ts';
import { makeClusterSecrets, secretsApi } from '../secrets/clusterSecrets.ts';

await runClient(async () => {
  const config = loadConfig(
    {
      KUBERNETES_API: z.url({ protocol: /^https?$/ }).default('https://kubernetes.default.svc'),
      SERVICE_ACCOUNT: z.string().default('/var/run/secrets/kubernetes.io/serviceaccount'),
    },
    process.env,
  );
  const account = (name: string) => readFileSync(join(config.SERVICE_ACCOUNT, name), 'utf8').trim();
  const api = secretsApi({
    url: config.KUBERNETES_API.replace(/\/$/, ''),
    namespace: account('namespace'),
    token: account('token'),
  });
  const made = await makeClusterSecrets(api);
  process.stdout.write(made.length > 0 ? `made: ${made.join(', ')}\n` : 'all Secrets were there\n');
});
