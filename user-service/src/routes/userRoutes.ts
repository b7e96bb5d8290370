import { del, get, patch, post, put, type Route } from '@tradepost/shared/http/route';
import type { createAccountController } from '../controllers/accountController.ts';
import type { createAuthController } from '../controllers/authController.ts';
import type { createUserController } from '../controllers/userController.ts';
import * as account from './accountOperations.ts';
import * as auth from './authOperations.ts';
import * as users from './userOperations.ts';

export interface UserControllers {
  auth: ReturnType<typeof createAuthController>;
  account: ReturnType<typeof createAccountController>;
  users: ReturnType<typeof createUserController>;
}

/** Every endpoint of user-service. Fixed paths stand before `/api/users/:id`. */
export function userRoutes(controllers: UserControllers): Route[] {
  const { auth: a, account: me, users: u } = controllers;
  return [
    post('/api/users/register', 'public', auth.register, a.register),
    post('/api/users/login', 'public', auth.login, a.login),
    post('/api/users/refresh', 'public', auth.refresh, a.refresh),
    post('/api/users/logout', 'public', auth.logout, a.logout),
    get('/.well-known/jwks.json', 'public', auth.keySet, a.keySet),

    get('/api/users/me', 'user', account.getMe, me.getMe),
    patch('/api/users/me', 'user', account.updateMe, me.updateMe),
    del('/api/users/me', 'user', account.deleteMe, me.deleteMe),
    post('/api/users/me/password', 'user', account.changePassword, me.changePassword),
    get('/api/users/me/sessions', 'user', account.listSessions, me.listSessions),
    del('/api/users/me/sessions/:id', 'user', account.endSession, me.endSession),
    get('/api/users/me/addresses', 'user', account.listAddresses, me.listAddresses),
    post('/api/users/me/addresses', 'user', account.addAddress, me.addAddress),
    put('/api/users/me/addresses/:id', 'user', account.replaceAddress, me.replaceAddress),
    del('/api/users/me/addresses/:id', 'user', account.deleteAddress, me.deleteAddress),

    get('/api/users', 'admin', users.listUsers, u.listUsers),
    get('/api/users/:id', 'self', users.getUser, u.getUser),
    patch('/api/users/:id/role', 'admin', users.changeRole, u.changeRole),

    get('/internal/users/:userId/addresses/:addressId', 'service', users.getAddress, u.getAddress),
    get('/internal/revocations', 'service', users.listRevocations, u.listRevocations),
  ];
}
