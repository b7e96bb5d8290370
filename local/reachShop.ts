import { ConfigError } from '@tradepost/shared/config';
import { StartError } from '@tradepost/shared/lifecycle';
import { readAdmin, readRunning } from './dataFolder.ts';

export interface ReachableShop {
  /** Address of the gateway, without a slash at its end. */
  url: string;
  admin: { email: string; password: string };
}

/**
 * Where a command finds the shop, and as whom: the given address or that of the shop which runs on DATA_DIR, and
 * ADMIN_EMAIL with ADMIN_PASSWORD or the administrator that this shop made up.
 * @throws StartError when there is neither
 */
export function reachShop(url: string | undefined, environment: NodeJS.ProcessEnv): ReachableShop {
  const dataDir = environment.DATA_DIR || '.data';
  const found = url ?? readRunning(dataDir)?.gatewayUrl;
  if (found === undefined) throw new StartError(`No shop runs on ${dataDir}: npm start, or --url`);
  const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = environment;
  const admin = email && password ? { email, password } : readAdmin(dataDir);
  if (!admin) throw new StartError(`No administrator in ${dataDir}: set ADMIN_EMAIL and ADMIN_PASSWORD`);
  return { url: found.replace(/\/$/, ''), admin };
}

/** Runs a command; what the person can mend is said in a line, anything else is ours and is shown with its stack. */
export async function runClient(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const { code, message, stack } = error as NodeJS.ErrnoException;
    const ours = error instanceof StartError || error instanceof ConfigError;
    const known = ours || /^(ENOENT|EACCES|EISDIR|Z_|ERR_PARSE_ARGS)/.test(code ?? '');
    process.stderr.write(`${known ? message : stack}\n`);
    process.exit(1);
  }
}
