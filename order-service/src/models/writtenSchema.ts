import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';

/** The newest schema version in which an instance was to write events of a type. */
export interface WrittenSchemaDocument {
  /** Type of event. */
  _id: string;
  schema: number;
}

const writtenSchema = createSchema<WrittenSchemaDocument>(
  { _id: { type: String, required: true }, schema: { type: Number, required: true } } as never,
  { ...schemaOptions, collection: 'written_schemas' },
);

export const createWrittenSchemaModel = (connection: Connection) =>
  createModel<WrittenSchemaDocument>(connection, 'WrittenSchema', writtenSchema);
export type WrittenSchemaModel = Model<WrittenSchemaDocument>;
