import { systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { createEventStore } from '../../order-service/src/events/eventStore.ts';
import { createCommitModel } from '../../order-service/src/models/commit.ts';
import { createOrderViewModel } from '../../order-service/src/models/orderView.ts';
import { rebuildViews } from '../../order-service/src/services/rebuildViews.ts';
import { runCommand } from '../openShop.ts';
import { withProgress } from './progressBar.ts';

await runCommand(async shop => {
  const connection = await shop.connect('order-service');
  const [commits, views] = [createCommitModel(connection), createOrderViewModel(connection)];
  const eventStore = createEventStore(commits, systemClock, newId);
  const { orders, mended, unreadable } = await withProgress('commits', onProgress =>
    rebuildViews({ eventStore, commits, views }, onProgress),
  );
  if (unreadable.length > 0) process.exitCode = 1;
  const left = unreadable.map(({ orderId, reason }) => `${orderId} cannot be folded: ${reason}`);
  return [...left, `${orders - unreadable.length} orders folded, ${mended} views mended`].join('\n');
});
