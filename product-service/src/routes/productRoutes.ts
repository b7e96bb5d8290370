import { del, get, patch, post, type Route } from '@tradepost/shared/http/route';
import type { ProductController } from '../controllers/productController.ts';
import type { TransferController } from '../controllers/transferController.ts';
import * as lists from './listSchemas.ts';
import * as schemas from './productSchemas.ts';
import * as transfers from './transferSchemas.ts';

/** Every endpoint of product-service. Fixed paths stand before `:id`. */
export const productRoutes = (products: ProductController, transfer: TransferController): Route[] => [
  get('/api/products', 'public', lists.listProducts, products.list),
  post('/api/products', 'admin', schemas.createProduct, products.create),
  get('/api/products/recent', 'public', lists.recentProducts, products.recent),
  get('/api/products/categories', 'public', lists.listCategories, products.categories),
  get('/api/products/categories/tree', 'public', lists.categoryTree, products.categoryTree),
  get('/api/products/suggest', 'public', lists.suggestProducts, products.suggest),
  post('/api/products/import', 'admin', transfers.importProducts, transfer.importProducts),
  get('/api/products/export', 'admin', transfers.exportProducts, transfer.exportProducts),
  get('/api/products/:id', 'public', schemas.getProduct, products.get),
  patch('/api/products/:id', 'admin', schemas.patchProduct, products.patch),
  del('/api/products/:id', 'admin', schemas.archiveProduct, products.archive),
  post('/internal/products/lookup', 'service', schemas.lookupProducts, products.lookup),
];
