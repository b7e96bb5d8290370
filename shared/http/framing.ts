import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.ts';

/** Header fields a request may have; Node's parser silently forgets those beyond its own limit. */
export const maxHeaders = 100;

/**
 * What Node's parser lets through although a server should not serve it: what two servers in a row could understand
 * differently (RFC 9112 sections 3.2 and 6.1), and methods that only echo.
 * @returns the error to answer, or undefined for a good request
 */
export function framingError(request: IncomingMessage): AppError | undefined {
  const { rawHeaders, headers, method, url, httpVersion } = request;
  if (rawHeaders.length > maxHeaders * 2) {
    return new AppError('headers_too_large', { detail: `More than ${maxHeaders} header fields` });
  }
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return bad('The version must be HTTP/1.1 or HTTP/1.0');
  if (method === 'TRACE') return new AppError('method_not_implemented');
  if (!url?.startsWith('/')) return bad('The address must be a path');
  if (url.includes('#')) return bad('The address must have no fragment');
  const hosts = countOf(rawHeaders, 'host');
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return bad('There must be one Host field');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) {
    return bad('The only transfer coding is chunked, in HTTP/1.1');
  }
  return undefined;
}

const bad = (detail: string) => new AppError('invalid_request', { detail });

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const field = rawHeaders[at];
    if (field?.length === name.length && field.toLowerCase() === name) count += 1;
  }
  return count;
}
