import { writeFileSync } from 'node:fs';
import { healthRoutes } from '@tradepost/shared/http/health';
import { openApiOf } from '@tradepost/shared/http/openapi';
import type { Route } from '@tradepost/shared/http/route';
import { gatewayRoutes } from '../gateway/src/routes/gatewayRoutes.ts';
import { createRoutes as inventoryRoutes } from '../inventory-service/src/routes/routes.ts';
import { orderRoutes } from '../order-service/src/routes/orderRoutes.ts';
import { paymentRoutes } from '../payment-service/src/routes/paymentRoutes.ts';
import { productRoutes } from '../product-service/src/routes/productRoutes.ts';
import { userRoutes } from '../user-service/src/routes/userRoutes.ts';

/** Where the gateway reads the document that it serves. */
export const openApiFile = new URL('../docs/openapi.json', import.meta.url);

/** Stands where a route wants its controllers: a route that is only described never calls one. */
const undescribed = new Proxy(() => {}, { get: () => undescribed }) as never;

/** Every route of the shop, by the service that answers it. */
export const routesByService: Readonly<Record<string, readonly Route[]>> = {
  'user-service': userRoutes(undescribed),
  'product-service': productRoutes(undescribed, undescribed),
  'inventory-service': inventoryRoutes(undescribed),
  'order-service': orderRoutes(undescribed, undescribed, undescribed),
  'payment-service': paymentRoutes(undescribed, undescribed),
  gateway: [...gatewayRoutes(undescribed, undescribed), ...healthRoutes(undescribed)],
};

/** The OpenAPI document of all services, as text with a line per value. */
export function openApiText(): string {
  const document = openApiOf(Object.values(routesByService).flat(), '/');
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

if (import.meta.main) writeFileSync(openApiFile, openApiText());
