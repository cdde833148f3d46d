import { describe, expect, test } from 'vitest';
import { parseUris } from './apt.ts';
import { classifyApt, classifyFs } from './errors.ts';

/** In the words of apt 2.6 with LC_ALL=C; host names and paths replaced. */
const SAID: Array<[code: string, text: string]> = [
  [
    'E_SUPPLY_NETWORK',
    `W: Failed to fetch http://m.example/debian/dists/trixie/InRelease  Could not resolve 'm.example'
E: Some index files failed to download. They have been ignored, or old ones used instead.`,
  ],
  [
    'E_SUPPLY_NETWORK',
    `Err:1 http://m.example/debian trixie InRelease
  Could not connect to m.example:80 (192.0.2.1). - connect (111: Connection refused)
E: Failed to fetch http://m.example/debian/dists/trixie/InRelease  Could not connect to m.example:80 (192.0.2.1). - connect (111: Connection refused)`,
  ],
  [
    'E_SUPPLY_NETWORK',
    `E: Failed to fetch http://m.example/debian/dists/trixie/InRelease  400  Bad Request [IP: 192.0.2.1 80]
E: The repository 'http://m.example/debian trixie InRelease' is not signed.`,
  ],
  [
    'E_SUPPLY_NETWORK',
    `E: Failed to fetch https://m.example/debian/dists/trixie/InRelease  Certificate verification failed: The certificate is NOT trusted. The certificate issuer is unknown.  Could not handshake: Error in the certificate verification. [IP: 192.0.2.1 443]`,
  ],
  [
    'E_SUPPLY_SUITE',
    `Err:2 http://m.example/debian trixie Release
  404  Not Found [IP: 192.0.2.1 80]
E: The repository 'http://m.example/debian trixie Release' does not have a Release file.`,
  ],
  [
    'E_SUPPLY_KEYRING',
    `W: GPG error: http://m.example/debian trixie InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 6ED0E7B82643E131
E: The repository 'http://m.example/debian trixie InRelease' is not signed.`,
  ],
  [
    'E_SUPPLY_KEYRING',
    `W: GPG error: http://m.example/debian trixie InRelease: gpgv, gpgv2 or gpgv1 required for verification, but neither seems installed
E: The repository 'http://m.example/debian trixie InRelease' is not signed.`,
  ],
  [
    'E_SUPPLY_SIGNATURE',
    `W: GPG error: http://m.example/debian trixie InRelease: The following signatures were invalid: BADSIG 6ED0E7B82643E131 Debian Archive Automatic Signing Key (12/bookworm) <ftpmaster@debian.org>
E: The repository 'http://m.example/debian trixie InRelease' is not signed.`,
  ],
  [
    'E_SUPPLY_SIGNATURE',
    `E: Release file for http://m.example/debian/dists/trixie-updates/InRelease is expired (invalid since 3d 2h 1min 5s). Updates for this repository will not be applied.`,
  ],
  [
    'E_SUPPLY_DAMAGED',
    `E: Failed to fetch http://m.example/debian/pool/main/b/busybox/busybox-static_1.37.0-6_amd64.deb  Hash Sum mismatch
   Hashes of expected file:
    - SHA256:aa`,
  ],
  [
    'E_SUPPLY_DAMAGED',
    `E: Failed to fetch http://m.example/x.deb  File has unexpected size (5 != 9). Mirror sync in progress? [IP: 192.0.2.1 80]`,
  ],
  [
    'E_SUPPLY_WITHDRAWN',
    `E: Failed to fetch http://m.example/debian/pool/main/l/linux/linux-binary-7.2.1_7.2.1-1_amd64.deb  404  Not Found [IP: 192.0.2.1 80]`,
  ],
  ['E_SUPPLY_WITHDRAWN', `E: Unable to locate package qemu-system-x86`],
  ['E_SUPPLY_WITHDRAWN', `E: Version '1.2' for 'busybox-static' was not found`],
  [
    'E_SUPPLY_DISK_FULL',
    `E: Failed to fetch http://m.example/x.deb  Error writing to file - write (28: No space left on device) [IP: 192.0.2.1 80]`,
  ],
  ['E_SUPPLY_DISK_FULL', `E: You don't have enough free space in /x/cache/archives/.`],
  [
    'E_SUPPLY_LOCKED',
    `E: Could not get lock /x/lists/lock. It is held by process 4711 (apt-get)
E: Unable to lock directory /x/lists/`,
  ],
  ['E_SUPPLY_APT', `E: Something that nobody has seen before`],
];

describe('what apt says', () => {
  test.each(SAID)('%s', (code, text) => {
    const error = classifyApt(text, 'http://m.example/debian');
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
    // The words of apt are kept.
    expect((error.cause as Error).message).toContain(text.split('\n')[0]?.slice(0, 40));
  });
});

test('a full disk is told apart from other file errors', () => {
  const full = Object.assign(new Error('x'), { code: 'ENOSPC' });
  const denied = Object.assign(new Error('x'), { code: 'EACCES' });
  expect(classifyFs(full, 'a').code).toBe('E_SUPPLY_DISK_FULL');
  expect(classifyFs(denied, 'a').code).toBe('E_SUPPLY_CACHE');
  const own = classifyFs(full, 'a');
  expect(classifyFs(own, 'b')).toBe(own);
});

test('the lines of --print-uris', () => {
  const hash = 'ab'.repeat(32);
  const text = `'http://m.example/pool/q_11.1.3%2bds-1_amd64.deb' qemu-system-x86_1%3a11.1.3+ds-1~bpo13+1_amd64.deb 10377056 SHA256:${hash}
'http://m.example/pool/z.deb' zlib1g_1%3a1.3.1-1_amd64.deb 88892 MD5Sum:0123456789abcdef
'http://m.example/pool/s.deb' seabios_1.17.0-1_all.deb 160548${' '}
'http://m.example/pool/e.deb' ../../evil_1_all.deb 1 SHA256:${hash}
Reading package lists...`;
  expect(parseUris(text)).toEqual([
    { name: 'qemu-system-x86', version: '1:11.1.3+ds-1~bpo13+1', bytes: 10377056, sha256: hash },
    { name: 'zlib1g', version: '1:1.3.1-1', bytes: 88892, sha256: '' },
    { name: 'seabios', version: '1.17.0-1', bytes: 160548, sha256: '' },
  ]);
});
