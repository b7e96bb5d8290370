/** Values that no field, or hardly one, takes. Nothing in them may look like what a server should not tell. */

/** One of each kind that JSON has, and of those that a careless reader mistakes for another. */
export const wrongKinds: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, '', 'text', '0', [], [[]], {}, { a: 1 }, [null], { length: 1 }],
];

export const numbers: readonly unknown[] = [
  ...[-1, 0, -0, 0.5, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e308, -1e308, 1e-7, 4_294_967_296, 2_147_483_648],
  ...['1', '0x10', 'Infinity', 'NaN', '1e3', ' 1', '１', '-0'],
];
/** Numbers that JSON can write and JavaScript cannot. */
export const rawNumbers = [
  '1e999',
  '-1e999',
  '1E400',
  '9007199254740993',
  '00',
  '+1',
  '1.',
  '.5',
  '0x10',
  'NaN',
  'Infinity',
];

/** For every field, query and path: what a query language, shell, template or path would take for its own. */
export const operators: readonly unknown[] = [
  ...[{ $gt: '' }, { $ne: null }, { $ne: 1 }, { $regex: '.*' }, { $exists: true }, { $in: ['a'] }, { $nin: [] }],
  ...[{ $where: 'return true' }, { $expr: { $eq: [1, 1] } }, { $or: [{}] }, { $not: { $eq: 1 } }, { $type: 2 }],
  ...[
    { $function: { body: 'x', args: [], lang: 'js' } },
    { $set: { role: 'admin' } },
    { $inc: { a: 1 } },
    [{ $gt: '' }],
  ],
  ...[
    "' or '1'='1",
    '"; return true; //',
    '$where',
    '$\u007b7*7}',
    '{{7*7}}',
    '<script>alert(1)</script>',
    '../../../etc/passwd',
  ],
  ...['$(sleep 5)', '`id`', '%00', '|| true', '*)(uid=*', '{"$gt":""}', '; drop table users --', '-1 union select 1'],
];

/** Names that only a server may set. */
export const protectedNames = [
  ...[
    'id',
    '_id',
    'userId',
    'role',
    'isAdmin',
    'admin',
    'status',
    'version',
    '__v',
    'createdAt',
    'updatedAt',
    'passwordHash',
  ],
  ...[
    'price',
    'total',
    'currency',
    'discount',
    'unitPrice',
    'reserved',
    'available',
    'refunded',
    'paymentId',
    'emailVerified',
  ],
];

export const prototypeBodies = [
  ...[
    '"__proto__":{"polluted":true}',
    '"constructor":{"prototype":{"polluted":true}}',
    '"prototype":{"polluted":true}',
  ],
  ...[
    '"__proto__":null',
    '"constructor":1',
    '"toString":1',
    '"hasOwnProperty":null',
    '"__proto__.polluted":true',
    '"valueOf":{}',
  ],
];

/** Texts on which patterns that backtrack take for ever. */
export const slowTexts = [
  `${'a'.repeat(5_000)}!`,
  `${'a@'.repeat(2_500)}`,
  `${'0'.repeat(5_000)}x`,
  `${' '.repeat(5_000)}x`,
  `${'a.'.repeat(2_500)}@`,
  `${'-a'.repeat(2_500)}!`,
  `${'%20'.repeat(1_000)}`,
  `a@${'a-'.repeat(2_000)}`,
  `${'('.repeat(5_000)}`,
  `${'\\'.repeat(5_000)}`,
  `${'a:'.repeat(2_000)}`,
  `http://${'a'.repeat(2_000)}${'.a'.repeat(1_000)}`,
];

/** Text that is short, and yet seldom stored, compared or shown as it was sent. */
export const oddTexts = [
  ...[
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfff\ud800',
    '\u202egnp.exe',
    '\ufeffx',
    '\u200b',
    '\u2028',
    '\u0007',
    '\u001b[31m',
  ],
  ...[
    `e${'\u0301'.repeat(2_000)}`,
    'ﬁ',
    'İ',
    'ß',
    '𝕏',
    '👩‍👩‍👧',
    '\u00a0',
    '\t',
    '\r\n',
    '%',
    'ａｄａ@example.com',
    'ADA@EXAMPLE.COM',
  ],
  ...['null', 'undefined', 'true', 'NaN', '[object Object]', '-', '.', '..', '\u{10ffff}', '\ufffe'],
];

/** Addresses that a server must not be talked into fetching. */
export const innerAddresses = [
  ...[
    'http://127.0.0.1:3000/',
    'http://localhost/',
    'http://[::1]/',
    'http://169.254.169.254/latest/',
    'http://0/',
    'file:///etc/x',
  ],
  ...[
    'gopher://127.0.0.1:25/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://user@127.0.0.1/',
    'javascript:alert(1)',
    '//x/y',
  ],
  ...[
    'data:text/html,x',
    'ftp://127.0.0.1/',
    'http://example.com@127.0.0.1/',
    'http://①②⑦.⓪.⓪.①/',
    'https://example.com\\@127.0.0.1',
  ],
];

export const cursors = [
  ...[
    'x',
    'e30',
    '%7B%7D',
    'eyJpZCI6MX0',
    'W10',
    'bnVsbA',
    'eyIkZ3QiOiIifQ',
    'A'.repeat(1_024),
    'A'.repeat(1_025),
    '.',
    '*',
  ],
  Buffer.from('{"at":{"$gt":""},"id":{"$ne":null}}').toString('base64url'),
  Buffer.from('["2026-11-22T15:39:00.000Z",{"$gt":""}]').toString('base64url'),
];

/** Fields by which a client pretends to be somebody or somewhere else. */
export const identityHeaders: readonly (readonly [string, string])[] = [
  ...(
    ['X-User-Id', 'X-User', 'X-User-Role', 'X_User_Id', 'X-User-Email', 'X-Authenticated-User', 'Remote-User'] as const
  ).map(name => [name, 'admin'] as const),
  ...(
    ['X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'X-Forwarded-Host'] as const
  ).map(name => [name, '127.0.0.1'] as const),
  ['X-Forwarded-Proto', 'https, http'],
  ['X-Forwarded-User', 'admin'],
  ['X-Forwarded-Prefix', '/internal'],
  ['Forwarded', 'for=127.0.0.1;host=internal;proto=https'],
  ['X-Original-URL', '/internal/charges'],
  ['X-Rewrite-URL', '/internal/charges'],
  ['X-Request-Deadline', '-1'],
  ['X-Request-Deadline', '1e9'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Method-Override', 'DELETE'],
  ['Connection', 'close, x-user-id'],
  ['Connection', 'close, content-type'],
  ['traceparent', '00-0-0-0'],
  ['Authorization', 'Basic YWRtaW46YWRtaW4='],
  ['Cookie', 'token=admin; role=admin'],
  ['X-Api-Key', 'admin'],
  ['X-Service-Token', 'order-service'],
];
