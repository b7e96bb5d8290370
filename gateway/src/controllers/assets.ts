import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, Router } from 'express';
import { docsScript, pageStyle } from './pages.ts';

const fromSwaggerUi = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];
const hour = 'public, max-age=3600';

/** Serves what the pages load, all from this machine: our own script and style, and a few files of Swagger UI. */
export function createAssets(): RequestHandler {
  const root = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  const router = Router();
  const files = express.static(root, { index: false, cacheControl: false });
  for (const [path, type, text] of [
    ['/docs/page.css', 'text/css', pageStyle],
    ['/docs/start.js', 'text/javascript', docsScript],
  ] as const) {
    router.get(path, (_request, response) => {
      response.type(type).set('Cache-Control', hour).send(text);
    });
  }
  router.get('/docs/:file', (request, response, next) => {
    if (!fromSwaggerUi.includes(request.params.file)) {
      next();
      return;
    }
    response.set('Cache-Control', hour);
    request.url = `/${request.params.file}`;
    files(request, response, next);
  });
  return router;
}
