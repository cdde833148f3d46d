import { Option } from 'commander';
import { ENGINE_KINDS } from '@syndrome/lab/engine/engine.ts';

/** @param standard what is chosen where the option is not given, in words */
export const engineOption = (standard: string): Option =>
  new Option(
    '--engine <kind>',
    `how a machine gets to its injection: forked there, loaded there, restored after its boot, or booted; what one engine cannot carry out, the next one does (default: ${standard})`,
  )
    .choices(ENGINE_KINDS)
    .conflicts('cold');
