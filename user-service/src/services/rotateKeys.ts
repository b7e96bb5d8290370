import type { Clock } from '@tradepost/shared/clock';
import { accessTokenMs } from '@tradepost/shared/revocations';
import { publishBeforeMs, publishedKeysAt } from '../domain/signingKeys.ts';
import type { SigningKeyModel } from '../models/signingKeyModel.ts';
import { addKey, switchSlackMs } from './keyRing.ts';

export interface RotateKeysDependencies {
  /** `createSigningKeyModel(connection)` on user-service's database. */
  keys: SigningKeyModel;
  clock: Clock;
  /** TOKEN_KEY_SECRET. */
  secret: string;
}

export interface Rotation {
  kid: string;
  /** From when on the key signs; until then it is only published. */
  activeFrom: Date;
  /** False when a key that was made before is still waiting to become active: then nothing was changed. */
  created: boolean;
}

/**
 * Makes the next signing key of the access tokens. It is published at once and signs ten minutes later, when no cache can
 * miss it; the old key is published until its last token has expired. So no token is refused, and no instance restarts.
 * The very first key signs at once; keys that nothing needs any more are deleted. May be repeated, and run beside the
 * service.
 */
export async function rotateKeys({ keys, clock, secret }: RotateKeysDependencies): Promise<Rotation> {
  await keys.createIndexes();
  const all = await keys.find().sort({ sequence: 1 }).lean();
  const newest = all.at(-1);
  const now = clock();
  if (newest && newest.activeFrom > now) return { kid: newest._id, activeFrom: newest.activeFrom, created: false };
  const activeFrom = newest ? new Date(now.getTime() + publishBeforeMs) : now;
  const created = await addKey({ keys, clock, secret }, (newest?.sequence ?? 0) + 1, activeFrom);
  const needed = new Set(publishedKeysAt(all, now, accessTokenMs, switchSlackMs).map(key => key._id));
  await keys.deleteMany({ _id: { $in: all.map(key => key._id).filter(kid => !needed.has(kid)) } });
  const made = await keys.findOne().sort({ sequence: -1 }).lean();
  if (!made) throw new Error('the new key is not there');
  return { kid: made._id, activeFrom: made.activeFrom, created };
}
