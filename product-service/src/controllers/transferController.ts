import type { Readable } from 'node:stream';
import { AppError } from '@tradepost/shared/errors';
import { mediaType } from '@tradepost/shared/http/body';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import type { ImportResult, ImportType } from '../domain/transfer.ts';
import type * as schemas from '../routes/transferSchemas.ts';

export interface TransferController {
  importProducts: ControllerOf<typeof schemas.importProducts>;
  exportProducts: ControllerOf<typeof schemas.exportProducts>;
}

export interface TransferDependencies {
  importFile(type: ImportType, source: AsyncIterable<Buffer>): Promise<ImportResult>;
  exportFile(): Readable;
}

export function createTransferController({ importFile, exportFile }: TransferDependencies): TransferController {
  return {
    async importProducts({ stream, header }) {
      const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(header('content-type') ?? '')?.[1] ?? 'utf-8';
      if (charset.toLowerCase() !== 'utf-8' || (header('content-encoding') ?? 'identity') !== 'identity') {
        throw new AppError('unsupported_media_type', { detail: 'Send the file in UTF-8, not compressed' });
      }
      return reply(200, await importFile(mediaType(stream) as ImportType, stream));
    },

    exportProducts: async () => ({
      status: 200,
      headers: {
        'Content-Type': 'application/x-ndjson',
        'Content-Disposition': 'attachment; filename="products.ndjson"',
      },
      stream: exportFile(),
    }),
  };
}
