import { type Environment, loadConfig } from '@tradepost/shared/config';
import type { ServiceName } from '@tradepost/shared/discovery';
import type { Service, ServiceDependencies } from '@tradepost/shared/service';
import { createApp as createInventoryService } from '../inventory-service/src/app.ts';
import { settings as inventorySettings } from '../inventory-service/src/config.ts';
import { createApp as createOrderService } from '../order-service/src/app.ts';
import { settings as orderSettings } from '../order-service/src/config.ts';
import { createApp as createPaymentService } from '../payment-service/src/app.ts';
import { settings as paymentSettings } from '../payment-service/src/config.ts';
import { createApp as createProductService } from '../product-service/src/app.ts';
import { settings as productSettings } from '../product-service/src/config.ts';
import { createApp as createUserService } from '../user-service/src/app.ts';
import { settings as userSettings } from '../user-service/src/config.ts';

/** A named point of a service's code at which tests end, freeze or delay the process. */
export type Failpoint = (name: string) => Promise<void> | void;

/** How each service is made, once its settings are known to fit. */
export type ServiceFactories = Record<ServiceName, (dependencies: ServiceDependencies) => Service>;

/**
 * Reads the services' own settings.
 * @param failpoint called at the named points of the services that have them
 * @throws ConfigError that names every setting of a service which is wrong
 */
export function serviceFactories(environment: Environment, failpoint: Failpoint = () => {}): ServiceFactories {
  const [user, product, inventory, order, payment] = [
    loadConfig(userSettings, environment),
    loadConfig(productSettings, environment),
    loadConfig(inventorySettings, environment),
    loadConfig(orderSettings, environment),
    loadConfig(paymentSettings, environment),
  ];
  return {
    'user-service': dependencies => createUserService(dependencies, user),
    'product-service': dependencies => createProductService(dependencies, product),
    'inventory-service': dependencies => createInventoryService(dependencies, { ...inventory, failpoint }),
    'order-service': dependencies => createOrderService(dependencies, { ...order, failpoint }),
    'payment-service': dependencies => createPaymentService(dependencies, { ...payment, failpoint }),
  };
}
