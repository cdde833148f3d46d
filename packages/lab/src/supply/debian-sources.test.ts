import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sourcesText } from './apt.ts';
import {
  checkMirrorUri,
  chooseMirror,
  mirrorLabel,
  parseDeb822,
  parseOneLine,
  readMachineSources,
} from './debian-sources.ts';

describe('one-line sources', () => {
  test('options, several components and comments', () => {
    const text = `# deb http://old.example/debian bookworm main
deb [arch=,amd64,arm64 signed-by=/usr/share/keyrings/k.gpg trusted=yes] https://m.example/debian bookworm main contrib # why
deb-src http://m.example/debian bookworm main
  deb http://m.example/debian trixie-updates main`;
    expect(parseOneLine(text, 'f')).toEqual([
      {
        uri: 'https://m.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        options: { arch: 'amd64 arm64', 'signed-by': '/usr/share/keyrings/k.gpg', trusted: 'yes' },
        where: 'f:2',
      },
      {
        uri: 'http://m.example/debian',
        suites: ['trixie-updates'],
        components: ['main'],
        options: {},
        where: 'f:4',
      },
    ]);
  });
});

describe('deb822 sources', () => {
  test('several stanzas, comments, continuation lines, a disabled one, sources only', () => {
    const text = `# first
Types: deb deb-src
URIs: http://a.example/debian http://b.example/debian
# a comment inside
Suites: bookworm
 bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://c.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb-src
URIs: http://d.example/debian
Suites: trixie
Components: main
`;
    const sources = parseDeb822(text, 'f');
    expect(sources.map(s => [s.uri, s.suites])).toEqual([
      ['http://a.example/debian', ['bookworm', 'bookworm-updates']],
      ['http://b.example/debian', ['bookworm', 'bookworm-updates']],
    ]);
    expect(sources[0]?.options['signed-by']).toContain('\n abc\n');
    expect(sources[0]?.where).toBe('f:2');
  });
});

describe('the choice of the mirror', () => {
  const choose = (text: string): string | undefined => chooseMirror(parseOneLine(text, 'f'), undefined)?.uri;

  test('prefers the main archive to security updates and third parties, wherever they stand', () => {
    expect(
      choose(`deb https://packages.example/apt cloud-sdk-bookworm main
deb https://deb.example/node_20.x nodistro main
deb http://m.example/debian-security bookworm-security main
deb http://m.example/debian bookworm-backports main
deb http://n.example/debian bookworm main`),
    ).toBe('http://n.example/debian');
  });

  test('is undefined where no entry serves Debian', () => {
    expect(choose('deb http://archive.example/ubuntu jammy main')).toBeUndefined();
    expect(choose('deb cdrom:[Debian]/ bookworm main')).toBeUndefined();
    expect(choose('deb http://m.example/debian bookworm contrib')).toBeUndefined();
    expect(choose('')).toBeUndefined();
  });

  test('keeps how the entry is trusted, and nothing else', () => {
    const text = 'deb [trusted=yes arch=amd64 lang=de check-valid-until=no] http://m.example/debian stable main';
    const mirror = chooseMirror(parseOneLine(text, 'f'), '/k.gpg');
    expect(mirror).toMatchObject({ signedBy: '/k.gpg', options: { trusted: 'yes', 'check-valid-until': 'no' } });
    expect(sourcesText(mirror as NonNullable<typeof mirror>, ['trixie', 'sid'])).toBe(`Types: deb
URIs: http://m.example/debian
Suites: trixie sid
Components: main
Targets: Packages
trusted: yes
check-valid-until: no
Signed-By: /k.gpg
`);
  });

  test('a password never reaches a message', () => {
    expect(mirrorLabel('https://me:secret@m.example/debian')).toBe('https://m.example/debian');
    expect(mirrorLabel('https://me:s3cr@t@p@m.example/debian/@x')).toBe('https://m.example/debian/@x');
    expect(chooseMirror(parseOneLine('deb http://u:p@m.example/debian sid main', 'f'), undefined)?.label).toBe(
      'http://m.example/debian',
    );
  });

  test.each(['m.example/debian', 'http://a b', 'http://x\nTrusted: yes', 'gopher://x', ''])(
    'what is no address is refused: %s',
    bad => {
      expect(() => checkMirrorUri(bad, 'SYNDROME_MIRROR')).toThrow('SYNDROME_MIRROR is not the address');
    },
  );

  test('a mirror may be a folder', () => {
    expect(checkMirrorUri('file:/srv/debian', 'x')).toBe('file:/srv/debian');
  });
});

test('both formats of a configuration folder are read, files with other endings are not', () => {
  const etc = mkdtempSync(join(tmpdir(), 'supply-etc-'));
  try {
    mkdirSync(join(etc, 'sources.list.d'));
    writeFileSync(join(etc, 'sources.list'), 'deb http://a.example/debian bookworm main\n');
    writeFileSync(
      join(etc, 'sources.list.d', 'b.sources'),
      'Types: deb\nURIs: http://b.example/debian\nSuites: trixie\nComponents: main\n',
    );
    writeFileSync(join(etc, 'sources.list.d', 'c.list'), 'deb http://c.example/debian sid main\n');
    writeFileSync(join(etc, 'sources.list.d', 'd.list.save'), 'deb http://d.example/debian sid main\n');
    expect(readMachineSources(etc).map(s => s.uri)).toEqual([
      'http://a.example/debian',
      'http://b.example/debian',
      'http://c.example/debian',
    ]);
    expect(readMachineSources(join(etc, 'nowhere'))).toEqual([]);
  } finally {
    rmSync(etc, { recursive: true });
  }
});
