import { get, type Route } from '@tradepost/shared/http/route';
import type { DashboardController } from '../controllers/dashboardController.ts';
import type { PagesController } from '../controllers/pagesController.ts';
import * as schemas from './gatewaySchemas.ts';

/** What the gateway answers itself; everything else is the routing table's. */
export const gatewayRoutes = (dashboard: DashboardController, pages: PagesController): Route[] => [
  get('/api/dashboard', 'user', schemas.getDashboard, dashboard.get),
  get('/', 'public', schemas.getHome, pages.home),
  get('/docs', 'public', schemas.getDocs, pages.docs),
  get('/openapi.json', 'public', schemas.getOpenApi, pages.openapi),
];
