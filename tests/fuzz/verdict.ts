import { beforeRouting } from '../api/contract.ts';
import type { FuzzCase } from './request.ts';
import type { FuzzAnswer } from './send.ts';
import { contract } from './targets.ts';

/** What only the code behind an answer knows: stacks, files, drivers, parsers. */
const internals =
  /node_modules|\bat \S+ \([^)]*:\d+|\.[cm]?[jt]s:\d+|file:\/\/\/|MongoServerError|MongoError|mongodb(\+srv)?:\/\/|amqps?:\/\/|E11000|duplicate key|\bBSON|CastError|mongoose|ZodError|(Syntax|Type|Range|Reference)Error|Unexpected token|Cannot read|is not a function|ECONN[A-Z]+|ENOENT|EPIPE|SQLITE|PRIVATE KEY|argon2/i;
/** Pages and documents that are public, whatever words they have. */
const documents = new Set(['getDocs', 'getHome', 'getOpenApi']);
/** A service's measurements, on its own port. */
const isMetrics = (one: FuzzCase): boolean => /^\/metrics\/?(\?|$)/.test(one.path) && one.target === undefined;

/** Everything that is wrong with an answer. */
export function violationsOf(one: FuzzCase, answer: FuzzAnswer): string[] {
  if (answer.failure) return [`no answer: ${answer.failure}`];
  const found: string[] = [];
  if (answer.status >= 500 && answer.status !== 501) found.push(`status ${answer.status}`);
  if (one.refused && answer.status < 400) found.push(`${answer.status} for what is to be refused`);
  const own = one.raw ? undefined : one.target;
  if (!own || !documents.has(own.id)) {
    const leak = internals.exec(withoutEcho(one, answer.text));
    if (leak) found.push(`tells of its inside: ${leak[0]}`);
  }
  if (isMetrics(one)) return found;
  const header = (name: string) => answer.headers[name.toLowerCase()]?.toString();
  const contentType = header('content-type');
  const json = parsedJson(answer);
  if (json instanceof SyntaxError) return [...found, 'the body is no JSON'];
  // Bytes that are no request, and a service that does not know the path, are answered as no operation is.
  const path = one.raw && beforeRouting.has(answer.status) ? '/nowhere' : one.path;
  found.push(...contract.deviations(one.method, path, { status: answer.status, contentType, body: json, header }));
  if (own && answer.status < 300 && wasForbidden(one))
    found.push(`${answer.status} for a body that the document forbids`);
  return found;
}

const parsedJson = (answer: FuzzAnswer): unknown => {
  const type = String(answer.headers['content-type'] ?? '');
  if (!/^application\/(problem\+)?json/.test(type) || answer.text === '') return answer.text;
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    return error;
  }
};

/** Whether the case's body is one that no client may send. */
function wasForbidden({ target, body }: FuzzCase): boolean {
  if (!target?.body) return false;
  if (body === undefined || body.length === 0) return !contract.takesBody(target.documented, undefined);
  try {
    return !contract.takesBody(target.documented, JSON.parse(body.toString()));
  } catch {
    return true;
  }
}

/** The path that was asked for is a part of each problem. */
const withoutEcho = (one: FuzzCase, text: string): string =>
  text.replaceAll(JSON.stringify(one.path.split('?', 1)[0]).slice(1, -1), '');
