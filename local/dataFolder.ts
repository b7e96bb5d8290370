import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import type { AdminCredentials } from './settings.ts';

/** Says where the shop of a data folder runs, for commands that want to reach it. */
export const runningShop = z.object({
  pid: z.int(),
  gatewayUrl: z.string(),
  /** Address of the database server, without a database. */
  mongodbUri: z.string(),
});
export type RunningShop = z.infer<typeof runningShop>;

/** The folder that holds what outlives the process, locked for one shop. */
export interface DataFolder {
  /** Path of a file in the folder. */
  file(name: string): string;
  /** What the file holds, or undefined when there is none. @throws StartError when it cannot be understood */
  read<T>(name: string, schema: z.ZodType<T>): T | undefined;
  /** Replaces the file whole, readable by its owner only. */
  write(name: string, value: unknown): void;
  remove(name: string): void;
  /** Lets another shop have the folder. */
  release(): void;
}

export const runningFile = 'running.json';

/** Where the folder's shop runs, or ran when it was killed; undefined when it does not. */
export const readRunning = (path: string): RunningShop | undefined => readFile(join(path, runningFile), runningShop);

/** The data folder is held by a shop that runs; `shop` says where, unless it has only just begun. */
export class DataFolderInUseError extends StartError {
  override name = 'DataFolderInUseError';
  readonly shop: RunningShop | undefined;

  constructor(path: string, shop: RunningShop | undefined) {
    const where = shop ? ` (process ${shop.pid}, ${shop.gatewayUrl})` : '';
    super(`DATA_DIR: ${path} is in use by another shop${where}; stop that one or set DATA_DIR`);
    this.shop = shop;
  }
}

/**
 * Makes the folder if need be and locks it. The lock is the system's own on an open file, so it ends with the process
 * however that ends.
 * @throws StartError when the folder cannot be written, DataFolderInUseError when another process has it
 */
export function openDataFolder(path: string): DataFolder {
  const lock = writable(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(path, 'lock'));
  });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw cannotWrite(path, error);
    throw new DataFolderInUseError(path, readRunning(path));
  }
  const file = (name: string) => join(path, name);
  return {
    file,
    read: (name, schema) => readFile(file(name), schema),
    write: (name, value) =>
      writable(path, () => {
        writeFileSync(file(`${name}.new`), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
        renameSync(file(`${name}.new`), file(name));
      }),
    remove: name => rmSync(file(name), { force: true }),
    release: () => lock.close(),
  };
}

const sqliteBusy = 5;

function writable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): StartError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new StartError(`DATA_DIR: ${path} cannot be written (${code === 'ERR_SQLITE_ERROR' ? message : code})`);
}

function readFile<T>(path: string, schema: z.ZodType<T>): T | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StartError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return schema.parse(JSON.parse(content));
  } catch {
    throw new StartError(`${path} is damaged: put it back from a copy, or remove it`);
  }
}

const secretsFileName = 'secrets.json';
const adminFile = z.object({ email: z.string(), password: z.string() });
const secretsFile = z.object({ serviceTokenSecret: z.string().min(32), tokenKeySecret: z.string().min(32) });
export type Secrets = z.infer<typeof secretsFile>;

/** What the file in the folder holds; `make` supplies it the first time. Without a folder it is made anew. */
function keep<T>(folder: DataFolder | undefined, name: string, schema: z.ZodType<T>, make: () => T) {
  const known = folder?.read(name, schema);
  if (known) return { value: known, isNew: false };
  const value = make();
  folder?.write(name, value);
  return { value, isNew: true };
}

/** The shop's own secrets: one signs the calls between services, one encrypts the keys of users' tokens. */
export function keepSecrets(folder: DataFolder | undefined): Secrets {
  const secret = () => randomBytes(32).toString('hex');
  return keep(folder, secretsFileName, secretsFile, () => ({
    serviceTokenSecret: secret(),
    tokenKeySecret: secret(),
  })).value;
}

/** @throws StartError when the folder has none */
export function readSecrets(path: string): Secrets {
  const secrets = readFile(join(path, secretsFileName), secretsFile);
  if (!secrets) throw new StartError(`${join(path, secretsFileName)} is missing: no shop was ever started there`);
  return secrets;
}

export const adminFileName = 'admin.json';

/** The made-up administrator of this folder; `isNew` on the one start that should show the password. */
export function keepAdmin(folder: DataFolder | undefined): AdminCredentials & { isNew: boolean } {
  const { value, isNew } = keep(folder, adminFileName, adminFile, () => ({
    email: 'admin@tradepost.example',
    password: randomBytes(12).toString('base64url'),
  }));
  return { ...value, isNew };
}

/** The made-up administrator of a data folder, also while a shop runs on it; undefined when there is none. */
export function readAdmin(path: string): AdminCredentials | undefined {
  return readFile(join(path, adminFileName), adminFile);
}
