/** @module The route of a fleet at one glance: now, or as it was known at an input of the ledger. */
import { z } from 'zod';
import { fleetView } from '../controller/fleet-view.ts';
import { MAX_AGAIN } from '../controller/state-at.ts';
import { refuse } from './errors.ts';
import { reads, type Route } from './route.ts';
import { shown } from './schemas.ts';

type Item = Readonly<Record<string, unknown>>;

const all = (schema: 'Incident' | 'PoisonedPage' | 'Alert' | 'FleetHost' | 'FleetVm', items: unknown): unknown[] =>
  (items as Item[]).map(item => shown(schema, item));

export const FLEET_ROUTE: Route = reads({
  path: '/v1/fleet',
  id: 'getFleet',
  summary: 'The fleet at one glance, now or as it was known at an input of the ledger',
  query: {
    input: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('what was known behind this one; without it what is known now'),
  },
  answer: 'Fleet',
  what: 'the fleet',
  problems: {
    404: 'the ledger has no such input',
    422: 'that was too long ago: so many inputs are not taken once more for an answer; or another version has written it',
  },
  run: async ({ desk, query: { input } }) => {
    const { inputs } = (await desk.list('status')) as { inputs: number };
    if (input !== undefined && input > inputs) throw refuse(404, 'E_API_NONE', 'the ledger has no such input');
    const view = input === undefined ? fleetView(desk.state()) : await desk.fleetAt(input);
    if (view === undefined)
      throw refuse(422, 'E_API_OLDER', `more than ${MAX_AGAIN} inputs would have to be taken once more`, {
        hint: 'Ask for a later input, or for one right behind a snapshot; `syndrome store export` has all of them.',
      });
    return {
      ...shown('Fleet', { ...view, input: input ?? inputs, inputs }),
      hosts: all('FleetHost', view['hosts']),
      troubled: all('FleetVm', view['troubled']),
      incidents: all('Incident', view['incidents']),
      pages: all('PoisonedPage', view['pages']),
      alerts: all('Alert', view['alerts']),
    };
  },
});
