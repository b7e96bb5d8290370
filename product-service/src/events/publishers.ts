import type { Clock } from '@tradepost/shared/clock';
import { currentContext } from '@tradepost/shared/context';
import { productAvailabilityChanged, productCreated, productUpdated } from '@tradepost/shared/events/products';
import type { NewId } from '@tradepost/shared/ids';
import { createMessage, type Message, type MessageDefinition } from '@tradepost/shared/messaging/message';
import type { Product } from '../domain/product.ts';

/** The messages of product-service; each goes into the outbox of the product by the write that it tells of. */
export interface Publishers {
  created(product: Product, initialStock: number): Message;
  updated(product: Product): Message;
  availabilityChanged(product: Pick<Product, '_id' | 'availability' | 'stock'>): Message;
}

export function createPublishers(newId: NewId, clock: Clock): Publishers {
  const message = <Data>(definition: MessageDefinition<Data>, productId: string, data: Data): Message =>
    createMessage(definition, {
      id: newId(),
      source: 'product-service',
      subject: productId,
      at: clock(),
      traceparent: currentContext()?.traceparent,
      data,
    });
  const facts = ({ _id, sku, name, category, price, status, version }: Product) => ({
    productId: _id,
    sku,
    name,
    category,
    price,
    status,
    version,
  });
  return {
    created: (product, initialStock) => message(productCreated, product._id, { ...facts(product), initialStock }),
    updated: product => message(productUpdated, product._id, facts(product)),
    availabilityChanged: product =>
      message(productAvailabilityChanged, product._id, {
        productId: product._id,
        availability: product.availability,
        stockVersion: product.stock.version,
      }),
  };
}
