import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import type { NewId } from '@tradepost/shared/ids';
import { z } from 'zod';
import type { StoredAddress, UserModel } from '../models/userModel.ts';
import { ownAccount } from './userView.ts';

/** Addresses that one account holds. */
export const maxAddresses = 50;

type AddressInput = Omit<StoredAddress, 'id'>;

const noSuchAddress = () => new AppError('not_found', { detail: 'No such address' });

/** A user's addresses, kept in the account's own document. */
export function createAddressBook({ users, newId }: { users: UserModel; newId: NewId }) {
  return {
    /** A page of the user's addresses, oldest first. */
    async list(userId: string, page: { limit: number; cursor?: string | undefined }) {
      const after = decodeCursor(page.cursor, 'addresses', z.tuple([z.string()]))?.[0] ?? '';
      const { addresses } = await ownAccount(users, userId);
      const rest = addresses.filter(address => address.id > after).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const items = rest.slice(0, page.limit);
      const last = rest.length > page.limit ? items.at(-1) : undefined;
      return { items, nextCursor: last ? encodeCursor('addresses', [last.id]) : null };
    },

    /** @throws AppError `address_book_full` */
    async add(userId: string, input: AddressInput): Promise<StoredAddress> {
      const address = { id: newId(), ...input };
      const { modifiedCount } = await users.updateOne(
        { _id: userId, deletedAt: null, [`addresses.${maxAddresses - 1}`]: { $exists: false } },
        { $push: { addresses: address } },
      );
      if (modifiedCount === 1) return address;
      await ownAccount(users, userId);
      throw new AppError('address_book_full', { detail: `An address book holds at most ${maxAddresses} addresses` });
    },

    /** @throws AppError `not_found` */
    async replace(userId: string, addressId: string, input: AddressInput): Promise<StoredAddress> {
      const address = { id: addressId, ...input };
      const { matchedCount } = await users.updateOne(
        { _id: userId, deletedAt: null, 'addresses.id': addressId },
        { $set: { 'addresses.$': address } },
      );
      if (matchedCount === 0) throw noSuchAddress();
      return address;
    },

    /** @throws AppError `not_found` */
    async remove(userId: string, addressId: string): Promise<void> {
      const { matchedCount } = await users.updateOne(
        { _id: userId, deletedAt: null, 'addresses.id': addressId },
        { $pull: { addresses: { id: addressId } } },
      );
      if (matchedCount === 0) throw noSuchAddress();
    },

    /** @throws AppError `not_found`, also for a user that does not exist */
    async find(userId: string, addressId: string): Promise<StoredAddress> {
      const user = await users.findOne({ _id: userId, deletedAt: null }).lean();
      const address = user?.addresses.find(one => one.id === addressId);
      if (!address) throw noSuchAddress();
      return address;
    },
  };
}

export type AddressBook = ReturnType<typeof createAddressBook>;
