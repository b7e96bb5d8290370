import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { readSecrets } from '@tradepost/local/dataFolder';
import { databaseUri } from '@tradepost/local/infrastructure';
import { systemClock } from '@tradepost/shared/clock';
import { createServiceTokenSigner } from '@tradepost/shared/http/auth';
import { createConnection } from '@tradepost/shared/mongo';
import { unseal } from '../../user-service/src/domain/keyCipher.ts';
import { createSigningKeyModel } from '../../user-service/src/models/signingKeyModel.ts';
import { startTestShop, type TestShop } from '../system/testShop.ts';
import type { TokenMaterial } from './forgedTokens.ts';

/** A shop whose secrets the test knows, so that it can sign what the shop would never sign. */
export async function startTokenShop(): Promise<
  TestShop & { material(token: string, refreshToken: string): TokenMaterial }
> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tradepost-tokens-'));
  const shop = await startTestShop({ dataDir });
  after(() => rmSync(dataDir, { recursive: true, force: true }));
  const { serviceTokenSecret, tokenKeySecret } = readSecrets(dataDir);
  const connection = createConnection(databaseUri(shop.mongodbUri, 'user-service'));
  await connection.asPromise();
  const stored = await createSigningKeyModel(connection).findOne().sort({ sequence: -1 }).lean();
  await connection.close();
  if (!stored) throw new Error('the shop has no key');
  const privateKey = createPrivateKey(unseal(stored.sealed, tokenKeySecret, stored._id));
  const serviceToken = createServiceTokenSigner('order-service', serviceTokenSecret, systemClock);
  return {
    ...shop,
    material: (token, refreshToken) => ({
      token,
      refreshToken,
      privateKey,
      serviceToken,
      serviceSecret: serviceTokenSecret,
    }),
  };
}
