import { systemClock } from '@tradepost/shared/clock';
import { createSigningKeyModel } from '../../user-service/src/models/signingKeyModel.ts';
import { rotateKeys } from '../../user-service/src/services/rotateKeys.ts';
import { runCommand } from '../openShop.ts';

await runCommand(async shop => {
  const keys = createSigningKeyModel(await shop.connect('user-service'));
  const { kid, activeFrom, created } = await rotateKeys({
    keys,
    clock: systemClock,
    secret: shop.secrets.tokenKeySecret,
  });
  return created
    ? `Key ${kid} is published and signs from ${activeFrom.toISOString()}`
    : `Nothing changed: key ${kid} is waiting and signs from ${activeFrom.toISOString()}`;
});
