/** Gives every container its secrets, before the others start. Settings: ADMIN_EMAIL, ADMIN_PASSWORD, ROTATE_SECRETS. */
import { flag, loadConfig } from '@tradepost/shared/config';
import { StartError } from '@tradepost/shared/lifecycle';
import { runClient } from '../reachShop.ts';
import { handOut } from '../secrets/handOut.ts';
import { adminSettings } from '../settings.ts';

await runClient(async () => {
  const config = loadConfig({ ...adminSettings, ROTATE_SECRETS: flag(false) }, process.env);
  const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = config;
  if ((email === undefined) !== (password === undefined)) {
    throw new StartError('ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither');
  }
  const made = handOut({
    ...{ given: '/secrets/given', kept: '/secrets/kept', out: '/secrets/out', rotate: config.ROTATE_SECRETS },
    admin: email !== undefined && password !== undefined ? { email, password } : undefined,
  });
  process.stdout.write(made.length > 0 ? `made: ${made.join(', ')}\n` : 'all secrets were there\n');
  if (made.includes('admin-password')) {
    process.stdout.write(
      'the administrator is admin@tradepost.example, with the password that\n' +
        '  docker compose exec user-service cat /run/secrets/admin-password\nshows\n',
    );
  }
});
