/** @module The routes that need no token: is it there, does it work, what does it offer. */
import type { Reply, Route } from './route.ts';
import type { SchemaName } from './schemas.ts';

const plain = (path: string, id: string, summary: string, answer: SchemaName, run: () => Reply): Route => ({
  method: 'GET',
  path,
  id,
  summary,
  role: 'public',
  params: {},
  query: {},
  answer,
  status: 200,
  what: summary,
  kind: 'plain',
  run,
});

/** @param document made when it is asked for */
export function plainRoutes(document: () => unknown): readonly Route[] {
  let made: unknown;
  return [
    plain('/livez', 'getLive', 'The process answers', 'Live', () => ({ status: 200, body: { live: true } })),
    plain('/openapi.json', 'getDocument', 'This document: OpenAPI 3.1', 'Document', () => ({
      status: 200,
      body: (made ??= document()),
    })),
    {
      ...plain(
        '/readyz',
        'getReady',
        'This controller works: it holds the lease, and the ledger is read',
        'Ready',
        () => ({ status: 200, body: {} }),
      ),
      kind: 'desk',
      run: ({ desk }) => ({ status: 200, body: { ready: true, epoch: desk.epoch } }),
    },
  ];
}
