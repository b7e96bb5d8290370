import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';

/** The file that says what a backup holds; it is written last, so a folder without it is none. */
export const manifestFile = 'manifest.json';

const manifest = z.object({
  format: z.literal(1),
  database: z.string(),
  madeAt: z.string(),
  collections: z.array(
    z.object({
      name: z.string(),
      file: z.string().regex(/^[\w%.~!'()*-]+\.bson$/),
      documents: z.int(),
      bytes: z.int(),
      sha256: z.string(),
      options: z.record(z.string(), z.unknown()),
      indexes: z.array(z.looseObject({ key: z.record(z.string(), z.unknown()), name: z.string() })),
    }),
  ),
});

/** What a backup holds. Index definitions are as MongoDB lists them, without that of `_id`. */
export type Manifest = z.infer<typeof manifest>;
export type CollectionEntry = Manifest['collections'][number];

/** @throws StartError when the text is no manifest */
export function readManifest(text: string): Manifest {
  try {
    return manifest.parse(JSON.parse(text));
  } catch {
    throw new StartError(`${manifestFile} is damaged`);
  }
}

/** Opens the database that an address names. */
export interface DatabaseAddress {
  uri: string;
  name: string;
}

/**
 * @throws StartError when the address names no database
 */
export function databaseAddress(uri: string | undefined): DatabaseAddress {
  const [, name] = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri ?? '') ?? [];
  if (!uri || !name) throw new StartError('--uri: say mongodb://HOST:PORT/DATABASE');
  return { uri, name };
}
