import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.ts';

/** Largest JSON body of a client in bytes. */
export const maxBodyBytes = 100_000;
/** Largest of another service: an order of the most lines names a hold for each. */
export const maxServiceBodyBytes = 1024 * 1024;
const bodyTimeoutMs = 10_000;

/** The client left before its request or its answer was whole. */
export class ClientGone extends Error {
  override name = 'ClientGone';
}

/** Whether the request has a body at all (RFC 9112 section 6.3). */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/** The media type of a request without its parameters, in lower case. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * Collects a body, unparsed.
 * @param limits.timeoutMs for all of it to arrive
 * @throws AppError `payload_too_large` as soon as that is known, or `request_timeout`; ClientGone
 */
export function collectBody(request: IncomingMessage, limits: { bytes: number; timeoutMs: number }): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bytes) {
    return Promise.reject(new AppError('payload_too_large'));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => settle(() => reject(new AppError('request_timeout'))), limits.timeoutMs);
    const settle = (how: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      how();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > limits.bytes) settle(() => reject(new AppError('payload_too_large')));
    };
    const onEnd = () => settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onGone = () => settle(() => reject(new ClientGone()));
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/**
 * Reads a JSON body of at most `maxBytes`; undefined when the request has none.
 * @throws AppError `unsupported_media_type`, `payload_too_large`, `malformed_json` (also for bytes that are not UTF-8),
 * `request_timeout`; ClientGone
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (
    mediaType(request) !== 'application/json' ||
    charset.toLowerCase() !== 'utf-8' ||
    encoding.toLowerCase() !== 'identity'
  ) {
    throw new AppError('unsupported_media_type', { detail: 'Send application/json in UTF-8, not compressed' });
  }
  const bytes = await collectBody(request, { bytes: maxBytes, timeoutMs: bodyTimeoutMs });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new AppError('malformed_json', { cause });
  }
}
