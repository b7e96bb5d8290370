import { routesByService } from '@tradepost/local/openapi';
import type { Access } from '@tradepost/shared/http/route';
import { type DocumentedOperation, readContract } from '../api/contract.ts';

/** An operation of the document, with who answers it and who may call it. */
export interface Target {
  id: string;
  /** In capitals. */
  method: string;
  /** With parameters in braces. */
  path: string;
  /** Name of the service, or `gateway`. */
  service: string;
  access: Access;
  documented: DocumentedOperation;
  /** Schema of the JSON body, where there is one. */
  body: object | undefined;
  /** Milliseconds within which there is an answer, whatever else runs on this machine. */
  limitMs: number;
}

export const contract = readContract();

/** Every operation that the document describes. */
export const targets: readonly Target[] = Object.entries(routesByService).flatMap(([service, routes]) =>
  routes
    .filter(route => route.access !== 'service')
    .map(({ method, path, access, operation }) => {
      const template = path.replace(/:(\w+)/g, '{$1}');
      const documented = contract.document.paths[template]?.[method];
      if (!documented) throw new Error(`${method} ${template} is not in the document`);
      const body = documented.requestBody?.content['application/json']?.schema;
      const limitMs = 20_000 + (operation.deadlineMs ?? 0);
      return {
        ...{ id: operation.id, method: method.toUpperCase(), path: template },
        service,
        access,
        documented,
        body,
        limitMs,
      };
    }),
);

/** Those with a JSON body. */
export const withBody = targets.filter(target => target.body !== undefined);
/** Those with parameters in the query. */
export const withQuery = targets.filter(({ documented }) => documented.parameters?.some(one => one.in === 'query'));
/** Those with parameters in the path. */
export const withParams = targets.filter(({ path }) => path.includes('{'));
