import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { ConfirmedOrderModel } from '../models/confirmedOrderModel.ts';
import type { UserModel } from '../models/userModel.ts';

export interface CountOrderDependencies {
  users: UserModel;
  confirmedOrders: ConfirmedOrderModel;
}

/**
 * Counts a confirmed order on its user. The order is a row with its own id, and the number on the account is the count of
 * rows, which only grows: repeated and reordered messages change nothing. Accounts that are gone are passed over.
 */
export function createCountOrder({ users, confirmedOrders }: CountOrderDependencies) {
  return async ({ orderId, userId }: { orderId: string; userId: string }): Promise<void> => {
    if (!(await users.exists({ _id: userId, deletedAt: null }))) return;
    try {
      await confirmedOrders.create({ _id: orderId, userId });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const orderCount = await confirmedOrders.countDocuments({ userId });
    await users.updateOne({ _id: userId, deletedAt: null }, { $max: { orderCount } });
  };
}
