import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { root } from '../architecture/sourceFiles.ts';

const run = promisify(execFile);

export interface Output {
  stdout: string;
  stderr: string;
}

/** Runs the Docker client in the repository. @throws with what it wrote when it fails */
export async function docker(...args: string[]): Promise<Output> {
  return run('docker', args, { cwd: root, env: process.env, maxBuffer: 64 * 1024 * 1024 });
}

export const compose = (...args: string[]): Promise<Output> => docker('compose', ...args);

/** Why no engine answers, or undefined when one does. */
export async function whyNoEngine(): Promise<string | undefined> {
  try {
    await docker('version');
    await docker('compose', 'version');
    return undefined;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & Partial<Output>;
    return code === 'ENOENT' ? 'there is no docker' : (stderr?.trim().split('\n').at(-1) ?? String(error));
  }
}

const inspected = z.array(
  z.object({
    Id: z.string(),
    RestartCount: z.int(),
    State: z.object({ Status: z.string(), Health: z.object({ Status: z.string() }).optional() }),
    Config: z.object({ User: z.string(), Env: z.array(z.string()), Labels: z.record(z.string(), z.string()) }),
    HostConfig: z.object({
      ReadonlyRootfs: z.boolean(),
      Memory: z.int(),
      NanoCpus: z.int(),
      PidsLimit: z.int().nullable(),
      CapDrop: z.array(z.string()).nullable(),
      SecurityOpt: z.array(z.string()).nullable(),
    }),
  }),
);
type Inspected = z.infer<typeof inspected>[number];

export interface Container extends Inspected {
  id: string;
  service: string;
  /** `running` and the like; then `healthy` and the like, or `none` without a check. */
  state: string;
  health: string;
  /** How often the engine has started it again. */
  restarts: number;
}

/** Containers of the project, or of one of its services, whatever they do. */
export async function containers(service?: string): Promise<Container[]> {
  const ids = (await compose('ps', '--all', '--quiet', ...(service ? [service] : []))).stdout
    .split('\n')
    .filter(Boolean);
  if (ids.length === 0) return [];
  const { stdout } = await docker('inspect', ...ids);
  return inspected.parse(JSON.parse(stdout)).map(one => ({
    ...one,
    id: one.Id.slice(0, 12),
    service: one.Config.Labels['com.docker.compose.service'] ?? '',
    state: one.State.Status,
    health: one.State.Health?.Status ?? 'none',
    restarts: one.RestartCount,
  }));
}

/** Kills every process of a container but the one that holds it together, as a crash would. */
export async function crash(id: string): Promise<void> {
  // The shell that kills is killed too, or finds its container gone.
  await docker('exec', id, 'sh', '-c', 'kill -9 -1').catch(() => {});
}

/** Repeats a look until it is so. @returns milliseconds that it took @throws what `describe` says after `limitMs` */
export async function until(
  look: () => Promise<boolean> | boolean,
  limitMs: number,
  describe: () => unknown = () => '',
): Promise<number> {
  const started = performance.now();
  for (;;) {
    if (await look()) return performance.now() - started;
    if (performance.now() - started > limitMs) {
      throw new Error(`not so after ${limitMs} ms: ${JSON.stringify(await describe())}`);
    }
    await sleep(500);
  }
}
