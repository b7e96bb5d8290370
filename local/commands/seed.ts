/**
 * Fills an empty catalogue with the demo, once, through the gateway of a shop that runs elsewhere.
 * Settings: SEED_DEMO, GATEWAY_URL, ADMIN_EMAIL and ADMIN_PASSWORD, DATA_DIR, which remembers that it was done.
 */
import { flag, loadConfig } from '@tradepost/shared/config';
import { z } from 'zod';
import { openDataFolder } from '../dataFolder.ts';
import { runClient } from '../reachShop.ts';
import { seedDemo } from '../seed.ts';

await runClient(async () => {
  const config = loadConfig(
    {
      SEED_DEMO: flag(true),
      GATEWAY_URL: z.url({ protocol: /^https?$/, error: 'must be an http address' }),
      DATA_DIR: z.string().default('.data'),
      ADMIN_EMAIL: z.string(),
      ADMIN_PASSWORD: z.string(),
    },
    process.env,
  );
  if (!config.SEED_DEMO) return;
  const folder = openDataFolder(config.DATA_DIR);
  try {
    const admin = { email: config.ADMIN_EMAIL, password: config.ADMIN_PASSWORD };
    const seeded = await seedDemo({ folder, admin, addressOf: () => config.GATEWAY_URL.replace(/\/$/, '') });
    process.stdout.write(seeded > 0 ? `${seeded} products are in the catalogue\n` : 'nothing to do\n');
  } finally {
    folder.release();
  }
});
