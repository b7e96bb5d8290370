/** An error with a MongoDB code; the dispatcher turns it into `{ ok: 0, code, codeName, errmsg }` or a write error. */
export class StoreError extends Error {
  readonly code: number;
  /** Further fields of the answer, such as `keyPattern` and `keyValue` of a duplicate key. */
  readonly details: Record<string, unknown> | undefined;

  constructor(code: number, message: string, details?: Record<string, unknown>) {
    super(message);
    this.name = 'StoreError';
    this.code = code;
    this.details = details;
  }
}

/** MongoDB's error codes by name (src/mongo/base/error_codes.yml of the server), as far as the store answers with them. */
export const CODE = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  ProtocolError: 17,
  AuthenticationFailed: 18,
  IllegalOperation: 20,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandFailed: 125,
  NotImplemented: 238,
  CommandNotSupported: 115,
  ConversionFailure: 241,
  CannotIndexParallelArrays: 171,
  InvalidPipelineOperator: 168,
  InvalidIndexSpecificationOption: 197,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
} as const;

const NAMES = new Map<number, string>(Object.entries(CODE).map(([name, code]) => [code, name]));

/** MongoDB's `codeName` of a code; codes without a name are called `Location<code>`, as the server does. */
export function codeName(code: number): string {
  return NAMES.get(code) ?? `Location${code}`;
}

/** A `StoreError` with code 2, the server's answer to most malformed queries. */
export function badValue(message: string): StoreError {
  return new StoreError(CODE.BadValue, message);
}

/** A `StoreError` with code 9, the server's answer to most malformed commands and updates. */
export function failedToParse(message: string): StoreError {
  return new StoreError(CODE.FailedToParse, message);
}

/** The refusal of something MongoDB can do and this store cannot (code 238, NotImplemented). */
export function notSupported(what: string): StoreError {
  return new StoreError(CODE.NotImplemented, `${what} is not supported by the embedded document store`);
}
