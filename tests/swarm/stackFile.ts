import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../architecture/sourceFiles.ts';

const mount = z.object({ type: z.enum(['volume', 'tmpfs']), source: z.string().optional(), target: z.string() });
const reference = z.object({ source: z.string(), target: z.string() });
const update = z.object({ order: z.string(), failure_action: z.string().optional() });

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  user: z.string(),
  hostname: z.string().optional(),
  init: z.boolean(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  stop_grace_period: z.string(),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().default(false) }).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  networks: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  volumes: z.array(mount),
  configs: z.array(reference).default([]),
  secrets: z.array(reference),
  deploy: z.object({
    replicas: z.string().optional(),
    endpoint_mode: z.string(),
    placement: z.object({ constraints: z.array(z.string()) }).optional(),
    update_config: update,
    rollback_config: update,
    restart_policy: z.object({ condition: z.string() }),
    resources: z.object({
      limits: z.object({ cpus: z.string(), memory: z.string(), pids: z.int() }),
      reservations: z.object({ memory: z.string() }).optional(),
    }),
  }),
});
export type StackService = z.infer<typeof service>;

const named = z.object({ name: z.string(), file: z.string() });

const file = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) }).nullable()),
  volumes: z.record(z.string(), z.null()),
  configs: z.record(z.string(), named),
  secrets: z.record(z.string(), named),
});

export const stackText = readFileSync(join(root, 'deploy', 'swarm.yml'), 'utf8');

/** deploy/swarm.yml with its anchors and merges resolved, and its variables as they stand. */
export const readStack = (): z.infer<typeof file> => file.parse(parse(stackText, { merge: true, maxAliasCount: -1 }));
