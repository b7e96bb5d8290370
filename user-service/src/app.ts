import { ConfigError } from '@tradepost/shared/config';
import { createAccessTokenVerifier } from '@tradepost/shared/http/auth';
import type { Consumer } from '@tradepost/shared/messaging/eventBus';
import { createOutboxRelay } from '@tradepost/shared/messaging/outbox';
import { createRevocations } from '@tradepost/shared/revocations';
import { type Service, type ServiceDependencies, wireService } from '@tradepost/shared/service';
import type { UserConfig } from './config.ts';
import { createAccountController } from './controllers/accountController.ts';
import { createAuthController } from './controllers/authController.ts';
import { createUserController } from './controllers/userController.ts';
import { createPublishers } from './events/publishers.ts';
import { subscribeToOrders } from './events/subscribers.ts';
import { createConfirmedOrderModel } from './models/confirmedOrderModel.ts';
import { createFailureModel } from './models/failureModel.ts';
import { createSessionModel } from './models/sessionModel.ts';
import { createSigningKeyModel } from './models/signingKeyModel.ts';
import { createUserModel } from './models/userModel.ts';
import { userRoutes } from './routes/userRoutes.ts';
import { createAccessTokenSigner } from './services/accessTokens.ts';
import { createAddressBook } from './services/addressBook.ts';
import { createAttemptLimiter } from './services/attemptLimiter.ts';
import { createChangePassword } from './services/changePassword.ts';
import { createCleaner } from './services/cleaner.ts';
import { readCommonPasswords } from './services/commonPasswords.ts';
import { createCountOrder } from './services/countOrder.ts';
import { createDeleteAccount } from './services/deleteAccount.ts';
import { createEndSession } from './services/endSession.ts';
import { createEnsureAdmin } from './services/ensureAdmin.ts';
import { createKeyRing } from './services/keyRing.ts';
import { createListRevocations } from './services/listRevocations.ts';
import { createLogIn } from './services/logIn.ts';
import { createNewPasswordCheck } from './services/newPassword.ts';
import { createPasswords } from './services/passwords.ts';
import { createRefreshSession } from './services/refreshSession.ts';
import { createCreateUser, createRegisterUser } from './services/registerUser.ts';
import { createSessions } from './services/sessions.ts';
import { createSignIn } from './services/signIn.ts';
import { createUserDirectory } from './services/userDirectory.ts';

/**
 * Wires user-service. It checks users' access tokens with its own keys and revocations; of `verify` it uses only the
 * service tokens.
 * @throws ConfigError when only one of ADMIN_EMAIL and ADMIN_PASSWORD is set
 */
export function createApp(dependencies: ServiceDependencies, config: UserConfig): Service {
  const { connection, bus, clock, newId, logger, registry } = dependencies;
  const secret = config.TOKEN_KEY_SECRET;
  const admin = firstAdmin(config);

  const users = createUserModel(connection);
  const sessions = createSessionModel(connection);
  const confirmedOrders = createConfirmedOrderModel(connection);
  const failures = createFailureModel(connection);
  const keyRing = createKeyRing({ keys: createSigningKeyModel(connection), secret, clock, logger });

  const relay = createOutboxRelay({ sources: [users, sessions], bus, clock, newId, logger, registry });
  const wakeRelay = () => relay.wake();
  const publishers = createPublishers({ clock, newId });
  const listRevocations = createListRevocations({ users, sessions, clock });
  const revocations = createRevocations({ bus, clock, logger, load: listRevocations });

  const commonPasswords = readCommonPasswords();
  const checkNewPassword = createNewPasswordCheck(commonPasswords);
  const cost = { memoryKib: config.PASSWORD_HASH_MEMORY_KIB, passes: config.PASSWORD_HASH_PASSES };
  const passwords = createPasswords(cost, registry);
  const attempts = createAttemptLimiter({ failures, clock, newId, secret });

  const signAccessToken = createAccessTokenSigner({ keyRing, clock, newId });
  const signIn = createSignIn({ users, sessions, signAccessToken, clock, newId });
  const endSession = createEndSession({ sessions, revocations, publishers, wakeRelay, clock });
  const cleaner = createCleaner({ users, sessions, confirmedOrders, endSession, logger });
  const createUser = createCreateUser({ users, passwords, publishers, wakeRelay, clock, newId });
  const ensureAdmin = createEnsureAdmin({ createUser, commonPasswords, logger });
  const sessionList = createSessions({ sessions, endSession, clock });
  const directory = createUserDirectory({ users, revocations, publishers, wakeRelay, clock });
  const addressBook = createAddressBook({ users, newId });
  const countOrder = createCountOrder({ users, confirmedOrders });

  const routes = userRoutes({
    auth: createAuthController({
      registerUser: createRegisterUser({ createUser, passwords, checkNewPassword, signIn }),
      logIn: createLogIn({ users, attempts, passwords, signIn }),
      refreshSession: createRefreshSession({
        users,
        sessions,
        endSession,
        signAccessToken,
        clock,
        leewayMs: config.REFRESH_REUSE_LEEWAY_MS,
      }),
      logOut: sessionList.logOut,
      keyRing,
    }),
    account: createAccountController({
      directory,
      sessions: sessionList,
      addressBook,
      changePassword: createChangePassword({ users, attempts, passwords, checkNewPassword, cleaner }),
      deleteAccount: createDeleteAccount({ users, revocations, publishers, cleaner, wakeRelay, clock }),
    }),
    users: createUserController({ directory, addressBook, listRevocations }),
  });

  let orders: Consumer | undefined;
  const verify = {
    ...dependencies.verify,
    user: createAccessTokenVerifier({ jwksUri: keyRing.publicKeyOf, isRevoked: revocations.isRevoked }),
  };
  return wireService(
    {
      name: 'user-service',
      routes,
      async start() {
        await keyRing.start();
        if (admin) await ensureAdmin(admin);
        await revocations.start();
        relay.start();
        await cleaner.start();
        orders ??= await subscribeToOrders({ bus, countOrder });
      },
      async stop() {
        await orders?.stop();
        await cleaner.stop();
        await revocations.stop();
        await relay.stop();
        keyRing.stop();
      },
    },
    { ...dependencies, verify },
  );
}

function firstAdmin(config: UserConfig): { email: string; password: string } | undefined {
  const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = config;
  if (email && password) return { email, password };
  if (email || password) throw new ConfigError(`ADMIN_${email ? 'PASSWORD' : 'EMAIL'}: is not set, but the other is`);
  return undefined;
}
