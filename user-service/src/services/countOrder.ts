import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { ConfirmedOrderModel } from '../models/confirmedOrderModel.ts';
import type { UserModel } from '../models/userModel.ts';

export interface CountOrderDependencies {
  users: UserModel;
  confirmedOrders: ConfirmedOrderModel;
}

/**
 * Counts a confirmed order on its user: one row with the order's own id, so that repeated and reordered messages change
 * nothing, and no number that would have to be brought up to date. Accounts that are gone are passed over.
 */
export function createCountOrder({ users, confirmedOrders }: CountOrderDependencies) {
  return async ({ orderId, userId }: { orderId: string; userId: string }): Promise<void> => {
    if (!(await users.exists({ _id: userId, deletedAt: null }))) return;
    try {
      await confirmedOrders.collection.insertOne({ _id: orderId, userId } as never);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  };
}
