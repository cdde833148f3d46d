import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where traces and what runs remember go: `$SYNDROME_STATE`, else `$XDG_STATE_HOME/syndrome`. */
export function stateDir(): string {
  const { SYNDROME_STATE, XDG_STATE_HOME } = process.env;
  return SYNDROME_STATE || join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'syndrome');
}
