import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../architecture/sourceFiles.ts';

const limits = z.object({ cpus: z.string(), memory: z.string(), pids: z.int() });
const condition = z.object({ condition: z.string() });

const service = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), args: z.record(z.string(), z.string()) }).optional(),
  command: z.array(z.string()).optional(),
  user: z.string().optional(),
  restart: z.string(),
  init: z.boolean(),
  read_only: z.boolean(),
  tmpfs: z.array(z.string()),
  cap_drop: z.array(z.string()),
  cap_add: z.array(z.string()).default([]),
  security_opt: z.array(z.string()),
  stop_grace_period: z.string(),
  logging: z.object({ options: z.record(z.string(), z.string()) }),
  deploy: z.object({ resources: z.object({ limits }) }),
  depends_on: z.record(z.string(), condition).default({}),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  networks: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().default(false) }).optional(),
});
export type ComposeService = z.infer<typeof service>;

const file = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) }).nullable()),
  volumes: z.record(z.string(), z.null()),
});

export const composeText = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

/** The compose file with its anchors and merges resolved, and its variables as they stand. */
export const readCompose = (): z.infer<typeof file> =>
  file.parse(parse(composeText, { merge: true, maxAliasCount: -1 }));

/** `256M` → mebibytes. */
export function mebibytes(size: string): number {
  const [, number, unit] = /^(\d+)([MG])$/.exec(size) ?? [];
  if (number === undefined) throw new Error(`${size} is no size`);
  return Number(number) * (unit === 'G' ? 1_024 : 1);
}
