import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** What each variable of the XDG base directories stands for below the home folder. */
const BELOW_HOME = { XDG_CACHE_HOME: '.cache', XDG_STATE_HOME: '.local/state' } as const;

/**
 * A folder of the user for this program: below the XDG variable, else below HOME, else below the home that the system knows.
 * What is no absolute path is passed over, as the XDG rules say: the working folder is not where such things belong.
 * @throws Error when the user has no home at all
 */
export function userFolder(variable: keyof typeof BELOW_HOME, env: NodeJS.ProcessEnv = process.env): string {
  const [given, home] = [env[variable], env['HOME']];
  if (given !== undefined && isAbsolute(given)) return join(given, 'syndrome');
  return join(home !== undefined && isAbsolute(home) ? home : knownHome(), BELOW_HOME[variable], 'syndrome');
}

function knownHome(): string {
  try {
    const home = userInfo().homedir;
    if (isAbsolute(home)) return home;
  } catch {
    // A user without an entry, as a container may run one.
  }
  throw new Error('this user has no home folder: HOME is not set, and the system knows none');
}
