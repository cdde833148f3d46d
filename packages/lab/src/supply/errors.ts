import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** A part could not be found, fetched, verified or locked. `code` is one of {@link SupplyCode}. */
export class SupplyError extends SyndromeError {}

export type SupplyCode =
  | 'E_SUPPLY_NOT_DEBIAN'
  | 'E_SUPPLY_NO_MIRROR'
  | 'E_SUPPLY_NETWORK'
  | 'E_SUPPLY_SUITE'
  | 'E_SUPPLY_OFFLINE'
  | 'E_SUPPLY_DISK_FULL'
  | 'E_SUPPLY_WITHDRAWN'
  | 'E_SUPPLY_DAMAGED'
  | 'E_SUPPLY_SIGNATURE'
  | 'E_SUPPLY_KEYRING'
  | 'E_SUPPLY_LOCKED'
  | 'E_SUPPLY_CACHE'
  | 'E_SUPPLY_APT'
  | 'E_SUPPLY_DEADLINE'
  | 'E_SUPPLY_ABORTED'
  | 'E_SUPPLY_FILE'
  | 'E_SUPPLY_COMPILE';

/** Makes a {@link SupplyError}; the code is checked by the compiler. */
export function supplyError(
  code: SupplyCode,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): SupplyError {
  return new SupplyError(code, message, options);
}

/**
 * What apt's own words (LC_ALL=C) mean, most specific first: a full disk also looks like a failed fetch, a missing
 * key like a bad signature. Patterns are fixed strings of apt and gpgv as printed by apt 2.6 to 3.x.
 */
const APT_TEXTS: ReadonlyArray<{
  code: SupplyCode;
  pattern: RegExp;
  message: (mirror: string) => string;
  hint: string;
}> = [
  {
    code: 'E_SUPPLY_DISK_FULL',
    pattern: /No space left on device|don't have enough free space|Disk quota exceeded/,
    message: () => 'the disk that holds the cache is full',
    hint: 'Free some space, or put the cache elsewhere with SYNDROME_CACHE.',
  },
  {
    code: 'E_SUPPLY_LOCKED',
    pattern: /Could not get lock|Unable to lock directory/,
    message: () => 'another apt is using the same cache',
    hint: 'Wait for the other run to end and try again.',
  },
  {
    code: 'E_SUPPLY_KEYRING',
    pattern:
      /NO_PUBKEY|public key is not available|EXPKEYSIG|gpgv2? or gpgv1? required|gpgv, gpgv2|No keyring installed|keyring[^\n]{0,300}(?:not readable|unsupported filetype)|Missing key|could not be verified because the public key/i,
    message: mirror => `the packages of ${mirror} are signed with a key that this machine does not hold`,
    hint: 'Bring the package debian-archive-keyring (and gpgv) up to date.',
  },
  {
    code: 'E_SUPPLY_NETWORK',
    pattern: /Failed to fetch \S+ {2}4(?!04)\d\d {2}/,
    message: mirror => `the package mirror ${mirror} refuses what it is asked for`,
    hint: 'Check the address of the mirror and the proxy settings of apt.',
  },
  {
    code: 'E_SUPPLY_SIGNATURE',
    pattern:
      /BADSIG|signatures were invalid|is not signed|NODATA|Clearsigned file isn't valid|is not valid yet|Release file for \S+ is expired|not authenticated|unauthenticated packages/i,
    message: mirror => `the signature of the package lists of ${mirror} does not hold`,
    hint: 'Check the clock of this machine and whether a proxy changes what it delivers; then try another mirror with SYNDROME_MIRROR.',
  },
  {
    code: 'E_SUPPLY_DAMAGED',
    pattern: /Hash Sum mismatch|unexpected size|Writing more data than expected/,
    message: mirror => `${mirror} delivered a file that does not match its signed checksum`,
    hint: 'The mirror may just be changing: try again in a few minutes, or name another one with SYNDROME_MIRROR.',
  },
  {
    code: 'E_SUPPLY_NETWORK',
    pattern:
      /Could not resolve|Temporary failure resolving|Something wicked happened|Unable to connect|Could not connect|Cannot initiate the connection|Connection (?:timed out|refused|failed|reset)|Network is unreachable|No route to host|Proxy Authentication|certificate|Could not handshake|Data socket timed out|Timeout was reached|50\d  ?[A-Z]|403  ?Forbidden/i,
    message: mirror => `the package mirror ${mirror} cannot be reached`,
    hint: 'Check the network and the proxy settings of apt, name another mirror with SYNDROME_MIRROR, or give your own files (--qemu, --kernel).',
  },
  {
    code: 'E_SUPPLY_SUITE',
    pattern:
      /does not have a Release file|no longer has a Release file|doesn't have the component|does not seem to provide/,
    message: mirror => `${mirror} does not carry a suite that is needed`,
    hint: 'Name a complete Debian mirror with SYNDROME_MIRROR.',
  },
  {
    code: 'E_SUPPLY_WITHDRAWN',
    pattern:
      /404  ?Not Found|Unable to locate package|Version '[^'\n]*' for '[^'\n]*' was not found|has no installation candidate|Can't find a source to download/,
    message: mirror => `${mirror} no longer offers a package that is needed`,
    hint: 'Packages leave the archive when newer ones arrive: ask for another version, or for `newest`.',
  },
  {
    code: 'E_SUPPLY_NETWORK',
    pattern: /Failed to fetch|Some index files failed to download/,
    message: mirror => `a file could not be fetched from ${mirror}`,
    hint: 'Check the network, or name another mirror with SYNDROME_MIRROR.',
  },
];

/** Turns what a failed apt printed on stderr into one error; apt's own lines (E: and W:) are kept as the cause. */
export function classifyApt(stderr: string, mirror: string): SupplyError {
  const said = stderr
    .split('\n')
    .filter(line => /^(?:E|W|Err|\s)/.test(line) && line.trim() !== '')
    .join('\n')
    .slice(0, 4000);
  const cause = new Error(`apt said: ${said === '' ? stderr.trim().slice(0, 4000) : said}`);
  for (const { code, pattern, message, hint } of APT_TEXTS) {
    if (pattern.test(stderr)) return supplyError(code, message(mirror), { hint, cause });
  }
  return supplyError('E_SUPPLY_APT', 'apt-get failed', {
    hint: 'The message of apt is the cause; `syndrome supply clean` removes its private state.',
    cause,
  });
}

/** The error for a failed file operation in the cache: a full disk or quota is told apart from the rest. */
export function classifyFs(error: unknown, doing: string): SupplyError {
  if (error instanceof SupplyError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return supplyError('E_SUPPLY_DISK_FULL', `the disk is full (${doing})`, {
      hint: 'Free some space, or put the cache elsewhere with SYNDROME_CACHE.',
      cause: error,
    });
  }
  return supplyError('E_SUPPLY_CACHE', `the cache cannot be used (${doing})`, {
    hint: 'Check its owner and permissions, or put the cache elsewhere with SYNDROME_CACHE.',
    cause: error,
  });
}
