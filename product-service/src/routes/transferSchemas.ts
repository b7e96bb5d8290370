import { operation } from '@tradepost/shared/http/route';
import { z } from 'zod';
import { importTypes, maxNamed } from '../domain/transfer.ts';
import { tag } from './productSchemas.ts';

const rejectedRow = z.strictObject({
  line: z.int().positive().meta({ description: 'Counted from 1, the header of a CSV file included' }),
  sku: z.string().optional(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })),
});

export const importProducts = operation({
  id: 'importProducts',
  summary: 'Add and change products from a file',
  description:
    'Upserts by `sku`: one JSON object per line with the fields of a new product, or CSV whose header names them ' +
    '(`price` in minor units beside `currency`; `images` separated by spaces, `options` by `|`, `attributes` as a JSON ' +
    'object; empty cells are absent). Absent fields of a known product stay as they are, an archived one is back on ' +
    'sale. `initialStock` opens the stock of a new product only. Good rows are kept when others are bad or the file ' +
    'breaks off; running it again picks up where it ended. No limit on size; given up after 30 s without data.',
  tag,
  streamed: importTypes,
  answers: {
    200: {
      description: 'What became of the rows',
      body: z
        .strictObject({
          created: z.int(),
          updated: z.int(),
          unchanged: z.int(),
          rejected: z.array(rejectedRow).meta({ description: `By line, the first ${maxNamed}` }),
          rejectedCount: z.int().optional().meta({ description: 'When more were rejected than are named' }),
        })
        .meta({ id: 'ImportResult' }),
    },
  },
  errors: ['request_timeout'],
});

export const exportProducts = operation({
  id: 'exportProducts',
  summary: 'All active products as a file for import',
  description: 'Importing it again changes nothing.',
  tag,
  answers: { 200: { description: 'One JSON object per line', contentType: 'application/x-ndjson' } },
});
