import { startTestService, type TestAnswer, type TestService } from '@tradepost/local/testing';
import { listen } from '@tradepost/shared/http/listener';
import type { Message } from '@tradepost/shared/messaging/message';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { ServiceDependencies } from '@tradepost/shared/service';
import type { Collection } from 'mongoose';
import { createApp } from '../app.ts';
import type { UserConfig } from '../config.ts';
import type { UserDocument } from '../models/userModel.ts';

export const tokenKeySecret = 'a key secret that only tests have, 32+';

/** Hashing that costs next to nothing, so that tests are about everything else. */
const cheap: UserConfig = {
  TOKEN_KEY_SECRET: tokenKeySecret,
  REFRESH_REUSE_LEEWAY_MS: 0,
  PASSWORD_HASH_MEMORY_KIB: 64,
  PASSWORD_HASH_PASSES: 1,
};

export const password = 'correct horse battery staple';

export interface Account {
  id: string;
  email: string;
  accessToken: string;
  refreshToken: string;
}

export interface UserServiceTest extends TestService {
  dependencies: ServiceDependencies;
  /** Every message of the exchange `users` that was published. */
  messages: Message[];
  /** Moves the service's clock on. */
  advance(ms: number): void;
  register(fields?: { email?: string; name?: string }): Promise<Account>;
  login(email: string, password?: string): Promise<TestAnswer>;
  refresh(refreshToken: string): Promise<TestAnswer>;
  me(accessToken: string): Promise<TestAnswer>;
  /** A customer whom the database made an administrator before the first token. */
  admin(): Promise<Account>;
  /** Another instance on the same database and bus. */
  startSecond(config?: Partial<UserConfig>): Promise<{ url: string; close(): Promise<void> }>;
}

/** Starts user-service on real sockets, with a clock that tests move. */
export async function startUserService(config: Partial<UserConfig> = {}): Promise<UserServiceTest> {
  let skipped = 0;
  let dependencies: ServiceDependencies | undefined;
  const test = await startTestService(
    'user-service',
    given => {
      dependencies = given;
      return createApp(given, { ...cheap, ...config });
    },
    { clock: () => new Date(Date.now() + skipped) },
  );
  if (!dependencies) throw new Error('the service was not made');
  const given = dependencies;
  const messages: Message[] = [];
  const listening = await test.bus.listen({
    pattern: { exchange: 'users', key: '#' },
    handle: async message => void messages.push(message),
  });
  let made = 0;

  async function register(fields: { email?: string; name?: string } = {}): Promise<Account> {
    made += 1;
    const body = { email: fields.email ?? `user${made}@example.com`, name: fields.name ?? 'Ada', password };
    const answer = await test.send('POST', '/api/users/register', { body });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    const { user, accessToken, refreshToken } = answer.body;
    return { id: user.id, email: user.email, accessToken, refreshToken };
  }

  const login = (email: string, secret = password) =>
    test.send('POST', '/api/users/login', { body: { email, password: secret } });

  return {
    ...test,
    dependencies: given,
    messages,
    advance: ms => {
      skipped += ms;
    },
    register,
    login,
    refresh: refreshToken => test.send('POST', '/api/users/refresh', { body: { refreshToken } }),
    me: token => test.send('GET', '/api/users/me', { token }),
    async admin() {
      const account = await register();
      await test.connection.collection('users').updateOne({ email: account.email }, { $set: { role: 'admin' } });
      const { body } = await login(account.email);
      return { ...account, accessToken: body.accessToken, refreshToken: body.refreshToken };
    },
    async startSecond(other = {}) {
      const registry = createRegistry('user-service', { processMetrics: false });
      // A connection has each model once; the second instance needs its own.
      const connection = test.connection.useDb(test.connection.name, { useCache: false });
      const service = createApp({ ...given, connection, registry }, { ...cheap, ...config, ...other });
      const listener = await listen(service.listener, { port: 0, host: '127.0.0.1' });
      await service.start().catch(async (error: unknown) => {
        await listener.close(0);
        throw error;
      });
      return {
        url: `http://127.0.0.1:${listener.port}`,
        async close() {
          await service.stop();
          await listener.close(1_000);
        },
      };
    },
    async close() {
      await listening.stop();
      await test.close();
    },
  };
}

/** Waits until `check` holds. Rejects with `what` after 5 s. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 5_000;
  while (!(await check())) {
    if (Date.now() > until) throw new Error(`${what} did not happen within 5 s`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** The accounts as they are stored. */
export function usersOf(test: TestService): Collection<UserDocument> {
  return test.connection.collection<UserDocument>('users');
}
