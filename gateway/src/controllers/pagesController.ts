import { Readable } from 'node:stream';
import { type Answer, type ControllerOf, reply } from '@tradepost/shared/http/route';
import { version } from '@tradepost/shared/service';
import type { getDocs, getHome, getOpenApi } from '../routes/gatewaySchemas.ts';
import { docsPage, homePage, links } from './pages.ts';

export interface PagesController {
  home: ControllerOf<typeof getHome>;
  docs: ControllerOf<typeof getDocs>;
  openapi: ControllerOf<typeof getOpenApi>;
}

/** Nothing but the gateway's own files; Swagger UI sets styles on elements and draws its icons as data. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param openapi the joined document of the whole API */
export function createPagesController(openapi: object): PagesController {
  const document = Buffer.from(JSON.stringify(openapi));
  return {
    home: async request =>
      prefersJson(request.header('accept'))
        ? reply(200, { name: 'Tradepost', version, links }, { Vary: 'Accept' })
        : page(homePage),
    docs: async () => page(docsPage),
    openapi: async () => ({
      status: 200,
      headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-cache' },
      stream: Readable.from([document]),
    }),
  };
}

const page = (html: string): Answer => ({
  status: 200,
  headers: {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': contentSecurityPolicy,
    'Cache-Control': 'no-cache',
    Vary: 'Accept',
  },
  stream: Readable.from([html]),
});

/** Whether JSON is named, and a page is not: browsers name both sooner or later. */
const prefersJson = (accept = ''): boolean => /\bjson\b/i.test(accept) && !/\btext\/html\b/i.test(accept);
