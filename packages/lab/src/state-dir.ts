import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { requireOwnFolder } from '@syndrome/base/disk/own-folder.ts';
import { userFolder } from '@syndrome/base/disk/user-folder.ts';
import { LabError } from './errors.ts';

const HINT = 'Choose another place with SYNDROME_STATE.';

/**
 * Where traces and what runs remember go: `$SYNDROME_STATE`, else `$XDG_STATE_HOME/syndrome`.
 * @throws LabError E_LAB_STATE_DIR for a user without a home
 */
function stateDir(): string {
  const { SYNDROME_STATE } = process.env;
  try {
    return SYNDROME_STATE ? resolve(SYNDROME_STATE) : userFolder('XDG_STATE_HOME');
  } catch (cause) {
    throw new LabError('E_LAB_STATE_DIR', 'there is no place for traces and what runs remember', { cause, hint: HINT });
  }
}

/**
 * A folder in it. Where it is there already, nobody else may be able to write to it.
 * @throws LabError E_LAB_STATE_DIR
 */
export function stateFolder(name: string): string {
  const state = stateDir();
  const folder = join(state, name);
  for (const path of [state, folder]) {
    try {
      if (existsSync(path)) requireOwnFolder(path);
    } catch (cause) {
      throw new LabError('E_LAB_STATE_DIR', 'the folder for traces and what runs remember cannot be used', {
        cause,
        hint: HINT,
      });
    }
  }
  return folder;
}
