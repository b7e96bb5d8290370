import { get, patch, post, type Route } from '@tradepost/shared/http/route';
import type { AuditController } from '../controllers/auditController.ts';
import type { ReservationController } from '../controllers/reservationController.ts';
import type { StockController } from '../controllers/stockController.ts';
import * as audits from './auditSchemas.ts';
import * as reservations from './reservationSchemas.ts';
import * as stock from './stockSchemas.ts';

export interface Controllers {
  stock: StockController;
  reservation: ReservationController;
  audit: AuditController;
}

export const createRoutes = (controllers: Controllers): Route[] => [
  get('/api/inventory', 'public', stock.listStock, controllers.stock.listStock),
  get('/api/inventory/:productId', 'public', stock.getStock, controllers.stock.getStock),
  patch('/api/inventory/:productId', 'admin', stock.adjustStock, controllers.stock.adjustStock),
  get('/api/inventory/:productId/movements', 'admin', stock.listMovements, controllers.stock.listMovements),
  post('/internal/reservations', 'service', reservations.reserve, controllers.reservation.reserve),
  post('/internal/reservations/:orderId/pin', 'service', reservations.pin, controllers.reservation.pin),
  post('/internal/reservations/:orderId/commit', 'service', reservations.commit, controllers.reservation.commit),
  post('/internal/reservations/:orderId/release', 'service', reservations.release, controllers.reservation.release),
  get('/internal/audit', 'service', audits.auditProducts, controllers.audit.auditProducts),
  post('/internal/audit/orders', 'service', audits.auditOrders, controllers.audit.auditOrders),
];
