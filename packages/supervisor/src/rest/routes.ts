/** @module All routes of the API, in one table. */
import { documentOf } from './document.ts';
import { FLEET_ROUTE } from './fleet.ts';
import { METRICS_ROUTE } from './metrics.ts';
import { plainRoutes } from './plain.ts';
import { READS } from './reads.ts';
import type { Route } from './route.ts';
import { WRITES } from './writes.ts';

export const ROUTES: readonly Route[] = [
  ...plainRoutes(() => apiDocument()),
  METRICS_ROUTE,
  FLEET_ROUTE,
  ...READS,
  ...WRITES,
];

/** The document of the API: OpenAPI 3.1. */
export const apiDocument = (): Readonly<Record<string, unknown>> => documentOf(ROUTES);
