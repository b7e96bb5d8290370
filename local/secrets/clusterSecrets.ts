import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import { writeSecretFile } from './files.ts';
import { handOut } from './handOut.ts';

/** The Secret that keeps all secrets of a shop in Kubernetes. */
export const keptName = 'tradepost-secrets';

type Values = Readonly<Record<string, string>>;

/** The part of the cluster's API that is needed, for one namespace. */
export interface SecretsApi {
  /** @returns undefined when there is none of this name */
  read(name: string): Promise<Values | undefined>;
  /** @returns false when there is one of this name already */
  create(name: string, values: Values): Promise<boolean>;
}

/**
 * Makes the Secrets of a shop in Kubernetes that are missing, one for every container, with the files that Compose gives
 * it. None is ever changed; several at a time, and one that was broken off, end with the same secrets.
 * @returns names of the Secrets that were made now
 * @throws StartError when what is kept lacks a secret that this version needs
 */
export async function makeClusterSecrets(api: SecretsApi): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-secrets-'));
  try {
    const known = await api.read(keptName);
    const { fresh, kept, byOwner } = secretsFor(folder, known ?? {});
    if (known !== undefined && fresh.length > 0) {
      throw new StartError(`${keptName} lacks ${fresh.join(', ')}: add them, as docs/operations.md says`);
    }
    // Somebody was faster; theirs count.
    if (known === undefined && !(await api.create(keptName, kept))) return await makeClusterSecrets(api);
    const made: string[] = known === undefined ? [keptName] : [];
    for (const [owner, values] of byOwner) {
      if (await api.create(owner, values)) made.push(owner);
    }
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function secretsFor(folder: string, known: Values): { fresh: string[]; kept: Values; byOwner: Map<string, Values> } {
  const [given, kept, out] = [join(folder, 'given'), join(folder, 'kept'), join(folder, 'out')];
  for (const [name, value] of Object.entries(known)) writeSecretFile(kept, name, value, 0o400);
  const fresh = handOut({ given, kept, out, rotate: false });
  const byOwner = new Map(readdirSync(out).map(owner => [owner, valuesIn(join(out, owner))]));
  return { fresh, kept: valuesIn(kept), byOwner };
}

const valuesIn = (folder: string): Values =>
  Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8').trim()]));

const secretBody = z.object({ data: z.record(z.string(), z.base64()).optional() });

/**
 * The API of a cluster.
 * @param options.url without a slash at its end
 * @param options.token of an account that may read and create Secrets
 */
export function secretsApi(options: { url: string; namespace: string; token: string }): SecretsApi {
  const path = `${options.url}/api/v1/namespaces/${options.namespace}/secrets`;
  async function send(url: string, body?: object): Promise<{ status: number; text: string }> {
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      headers: { Authorization: `Bearer ${options.token}`, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(10_000),
    }).catch((error: Error) => {
      throw new StartError(`the API of the cluster does not answer at ${options.url}: ${reasonOf(error)}`);
    });
    return { status: response.status, text: await response.text() };
  }
  const refused = (what: string, answer: { status: number; text: string }) =>
    new StartError(`${what} was refused: ${answer.status} ${messageIn(answer.text)}`);
  return {
    async read(name) {
      const answer = await send(`${path}/${name}`);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw refused(`reading the Secret ${name}`, answer);
      const { data } = secretBody.parse(JSON.parse(answer.text));
      const texts = Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
      return Object.fromEntries(texts);
    },
    async create(name, values) {
      const metadata = { name, labels: { 'app.kubernetes.io/part-of': 'tradepost' } };
      const body = { apiVersion: 'v1', kind: 'Secret', metadata, stringData: values };
      const answer = await send(path, body);
      if (answer.status === 409) return false;
      if (answer.status !== 201) throw refused(`making the Secret ${name}`, answer);
      return true;
    },
  };
}

/** What the API says of a refusal; its whole answer could hold what was sent. */
function messageIn(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    return '';
  }
}

const reasonOf = (error: Error): string => (error.cause instanceof Error ? error.cause.message : error.message);
