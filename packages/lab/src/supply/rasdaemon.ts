import type { Fetcher } from './fetcher.ts';
import { type GuestProgramPart, obtainGuestProgram } from './guest-program.ts';

/** Debian's rasdaemon, which is held to what ours says of the same machine checks; without its perl. */
export async function obtainRasdaemon(fetcher: Fetcher): Promise<GuestProgramPart> {
  return await obtainGuestProgram(fetcher, {
    kind: 'rasdaemon',
    package: 'rasdaemon',
    program: 'usr/sbin/rasdaemon',
    suites: ['trixie', 'trixie-updates'],
    wanted:
      /^(?:rasdaemon$|libc6$|libsqlite3-|libtraceevent\d|libpci3|libudev1|libcap2|zlib1g|libz\d|libkmod|liblzma|libzstd|libssl3|libcrypto)/,
  });
}
