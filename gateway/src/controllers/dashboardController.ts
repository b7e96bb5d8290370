import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import type { getDashboard } from '../routes/gatewaySchemas.ts';
import type { GatherDashboard } from '../services/dashboard.ts';

export interface DashboardController {
  get: ControllerOf<typeof getDashboard>;
}

export function createDashboardController(gather: GatherDashboard): DashboardController {
  return {
    get: async request => reply(200, await gather(request.header('authorization') ?? '', request.signal)),
  };
}
