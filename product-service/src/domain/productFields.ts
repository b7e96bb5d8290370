import { id, text } from '@tradepost/shared/http/schemas';
import { money } from '@tradepost/shared/money';
import { z } from 'zod';
import { normalCategory } from './category.ts';

/** Largest opening stock; the same as inventory takes. */
const maxStock = 1_000_000_000;

const name = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,63}$/u, 'must be 1 to 64 letters, digits, spaces, _ or -')
  .refine(value => value.isWellFormed(), 'must be well-formed Unicode');

const value = z.union([text(500, 0), z.number(), z.boolean()], 'must be text, a number, true or false');

const image = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .max(2_000)
  .regex(/^[^\s<>"]+$/, 'must be an http or https address');

/** The fields of a product that an administrator may write; each checked alike in requests and import rows. */
const fields = {
  sku: text(64).meta({ description: 'Unique stock keeping unit', example: '85123A' }),
  name: text(200).meta({ example: 'White hanging heart T-light holder' }),
  description: text(5_000, 0).meta({ example: 'A heart of white metal that holds a tea light' }),
  category: text(200)
    .transform(normalCategory)
    .pipe(z.string().min(1, 'must name a category'))
    .nullable()
    .meta({ description: 'Path from the root, parts joined by ` > `', example: 'Home > Candles' }),
  price: money,
  images: z
    .array(image)
    .max(20)
    .meta({ description: 'http or https addresses', example: ['https://example.com/85123A.jpg'] }),
  attributes: z
    .record(name, value)
    .refine(given => Object.keys(given).length <= 50, 'must be at most 50')
    .meta({ example: { colour: 'white' } }),
  lowStockThreshold: z.int().min(0).max(maxStock).nullable().meta({
    description: 'Pieces at or under which the product is `low_stock`; null leaves it to inventory',
    example: 5,
  }),
  options: z
    .array(name)
    .max(5)
    .refine(given => new Set(given).size === given.length, 'must not repeat a name')
    .meta({ description: 'Attributes in which the variants of this product differ', example: ['size', 'colour'] }),
};

const initialStock = z
  .int()
  .min(0)
  .max(maxStock)
  .meta({ description: 'Opens the stock of a new product', example: 50 });

const optionalFields = {
  description: fields.description.optional(),
  category: fields.category.optional(),
  images: fields.images.optional(),
  attributes: fields.attributes.optional(),
  lowStockThreshold: fields.lowStockThreshold.optional(),
  options: fields.options.optional(),
  initialStock: initialStock.optional(),
};

/** Body of `POST /api/products`. */
export const newProduct = z
  .strictObject({
    sku: fields.sku,
    name: fields.name,
    price: fields.price,
    ...optionalFields,
    parentId: id.optional().meta({ description: 'The product that this one is a variant of' }),
  })
  .meta({
    id: 'NewProduct',
    example: {
      sku: '85123A',
      name: 'White hanging heart T-light holder',
      price: { amount: 1299, currency: 'GBP' },
      description: 'A heart of white metal that holds a tea light',
      category: 'Home > Candles',
      images: ['https://example.com/85123A.jpg'],
      attributes: { colour: 'white' },
      initialStock: 50,
    },
  });
export type NewProduct = z.infer<typeof newProduct>;

/** Body of `PATCH /api/products/:id`; fields that are absent stay as they are. */
export const productPatch = z
  .strictObject({ ...fields, status: z.enum(['active', 'archived']) })
  .partial()
  .meta({ id: 'ProductPatch', example: { price: { amount: 1199, currency: 'GBP' }, lowStockThreshold: 5 } });
export type ProductPatch = z.infer<typeof productPatch>;

/** One row of an import, as an export writes it. Absent fields of a known product stay as they are. */
export const importRow = z.strictObject({
  sku: fields.sku,
  name: fields.name,
  price: fields.price,
  ...optionalFields,
  parentSku: fields.sku.optional(),
});
export type ImportRow = z.infer<typeof importRow>;
