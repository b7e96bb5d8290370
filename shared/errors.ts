/**
 * Every error that a client can meet: code → [HTTP status, title]. Clients match on the code, which never changes;
 * title and detail are for people.
 */
export const errorCatalogue = {
  invalid_request: [400, 'The request does not fit its schema'],
  malformed_json: [400, 'The body is not valid JSON'],
  invalid_cursor: [400, 'The cursor is not one that this API gave out'],
  idempotency_key_required: [400, 'The Idempotency-Key header is missing or not valid'],
  unauthenticated: [401, 'A valid access token is needed'],
  invalid_credentials: [401, 'Email or password is wrong'],
  token_reused: [401, 'The refresh token was used before; the session is ended'],
  bad_signature: [401, 'The signature does not fit'],
  payment_declined: [402, 'The payment was declined'],
  forbidden: [403, 'This role may not do that'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'This path does not know that method'],
  request_timeout: [408, 'The request took too long to arrive'],
  email_taken: [409, 'An account with this email exists'],
  address_book_full: [409, 'The address book holds no more addresses'],
  sku_taken: [409, 'A product with this sku exists'],
  below_reserved: [409, 'Stock on hand cannot be less than what is reserved'],
  insufficient_stock: [409, 'There is not enough stock'],
  hold_gone: [409, 'The hold on the stock is gone'],
  invalid_transition: [409, 'The order is not in a state that allows this'],
  refund_exceeds_capture: [409, 'The refund is more than what is left of the payment'],
  request_in_progress: [409, 'A request with this Idempotency-Key is still running'],
  charge_refused: [409, 'The payment of this order was already turned back'],
  version_conflict: [412, 'The resource has changed since it was read'],
  payload_too_large: [413, 'The body is too large'],
  uri_too_long: [414, 'The address is too long'],
  unsupported_media_type: [415, 'The body is not of a type that this path takes'],
  unknown_product: [422, 'A product of the order does not exist'],
  unknown_address: [422, 'The address does not exist'],
  mixed_currencies: [422, 'The products of an order must have one currency'],
  total_too_large: [422, 'The total of the order is too large'],
  idempotency_key_reused: [422, 'The Idempotency-Key was used with another request'],
  too_many_attempts: [429, 'Too many failed attempts'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'The header fields are too large'],
  internal_error: [500, 'Something went wrong on our side'],
  method_not_implemented: [501, 'No path knows this method'],
  service_unavailable: [503, 'A part of the shop is not available'],
  upstream_timeout: [504, 'A part of the shop did not answer in time'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof errorCatalogue;

/** One wrong value of a request: where it is (`items.0.quantity`) and what is wrong with it. */
export interface FieldError {
  path: string;
  message: string;
}

export interface ErrorExtras {
  detail?: string;
  /** Seconds for the Retry-After header. */
  retryAfter?: number;
  headers?: Record<string, string>;
  /** Further members of the problem, as `shortages` or `orderId`. */
  members?: Record<string, unknown>;
  errors?: FieldError[];
  cause?: unknown;
}

/** An error with a stable code of the catalogue; the one mapper to problem+json knows what to do with it. */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly extras: ErrorExtras;

  constructor(code: ErrorCode, extras: ErrorExtras = {}) {
    super(extras.detail ?? errorCatalogue[code][1], { cause: extras.cause });
    this.code = code;
    this.status = errorCatalogue[code][0];
    this.extras = extras;
  }
}

/** Whether `error` is an AppError, of the given code if one is given. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
