/** @module The engine that keeps a machine at the point of an injection, and loads it for each run with its memory mapped from a file. */
import type { Services } from '../parts.ts';
import type { Engine } from './engine.ts';
import { pointEngine } from './point-engine.ts';
import { templateRefusal } from './template-refusal.ts';
import { Templates } from './templates.ts';

/** @param next carries out what cannot be loaded so */
export const templateEngine = (next: Engine, services: Services): Engine =>
  pointEngine({
    kind: 'template',
    points: new Templates(services),
    refuses: templateRefusal,
    never: { code: 'E_LAB_STATE', why: 'state' },
    next,
    services,
  });
