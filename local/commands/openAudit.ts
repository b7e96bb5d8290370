import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@tradepost/shared/clock';
import type { ServiceName } from '@tradepost/shared/discovery';
import type { ServiceClient } from '@tradepost/shared/http/client';
import { newId } from '@tradepost/shared/ids';
import { createEventStore } from '../../order-service/src/events/eventStore.ts';
import { createCommitModel } from '../../order-service/src/models/commit.ts';
import { createOrderViewModel } from '../../order-service/src/models/orderView.ts';
import { createSagaModel } from '../../order-service/src/models/saga.ts';
import {
  type AuditDependencies,
  type AuditShop,
  auditShopUseCase,
} from '../../order-service/src/services/auditShop.ts';
import { auditSources } from '../../order-service/src/services/ports.ts';
import type { OpenShop } from '../openShop.ts';

/**
 * The audit of an open shop, on its databases and on the services that `client` reaches.
 * @param parts replace the clock and the pause before another look
 */
export async function openAudit(
  shop: OpenShop,
  client: (name: ServiceName) => ServiceClient,
  parts: Partial<Pick<AuditDependencies, 'clock' | 'pause'>> = {},
): Promise<AuditShop> {
  const connection = await shop.connect('order-service');
  const [commits, sagas, views] = [
    createCommitModel(connection),
    createSagaModel(connection),
    createOrderViewModel(connection),
  ];
  return auditShopUseCase({
    ...{ commits, sagas, views, clock: systemClock, pause },
    eventStore: createEventStore(commits, systemClock, newId),
    sources: auditSources(client('inventory-service'), client('payment-service')),
    ...parts,
  });
}
