/** Fuzz targets of the rooms `supply` and `disk`: what apt says, the machine's sources, and notes in a damaged cache. */
import { classifyApt, SupplyError } from '@syndrome/lab/supply/errors.ts';
import { parseUris, sourcesText } from '@syndrome/lab/supply/apt.ts';
import {
  type DebianSource,
  checkMirrorUri,
  chooseMirror,
  mirrorLabel,
  parseDeb822,
  parseOneLine,
} from '@syndrome/lab/supply/debian-sources.ts';
import { compareDebianVersions, upstreamVersion } from '@syndrome/lab/supply/debian-version.ts';
import {
  compareKernels,
  kernelsIn,
  nearestVersions,
  parseKernelQuery,
  queryFloor,
  selectKernel,
} from '@syndrome/lab/supply/kernels.ts';
import { isStale, parseOwner, thisProcess } from '@syndrome/lab/supply/lock.ts';
import { parseManifest } from '@syndrome/lab/supply/manifest.ts';
import { parseAnswer, recipeVersion, workOwner } from '@syndrome/lab/supply/part-store.ts';
import { parseNote } from '@syndrome/base/disk/derived.ts';
import type { Chance } from '../chance.ts';
import { anyJson, anyText, spoiledJson, spoiledText } from './junk.ts';
import { attempt, differences, errorFaults } from './oracles.ts';
import type { Target } from './target.ts';

const HASH = 'a'.repeat(64);
const URIS = [
  `'http://deb.example/debian/pool/main/q/qemu/qemu-system-x86_10.0.2%2bds-2_amd64.deb' qemu-system-x86_1%3a10.0.2+ds-2_amd64.deb 12345 SHA256:${HASH}`,
  `'http://deb.example/debian/pool/l/linux.deb' linux-image-6.12_6.12-1_amd64.deb 99 MD5Sum:abc`,
  "'http://deb.example/x.deb' name_1.0_amd64.deb 1",
];

const APT_URIS: Target = {
  name: 'supply:apt-uris',
  holds: 'what --print-uris prints: packages that stand in it, with whole sizes and full hashes',
  weight: 40,
  open: () => chance => {
    const lines = Array.from({ length: chance.below(4) }, () => spoiledText(chance, chance.pick(URIS), URIS));
    const text = lines.join('\n');
    const found = parseUris(text);
    const wrong = found.length > text.split('\n').length ? ['more packages than lines'] : [];
    for (const { name, version, bytes, sha256 } of found) {
      if (name === '' || version === '' || !text.includes(` ${name}_`)) wrong.push(`${name} ${version}`);
      if (!Number.isSafeInteger(bytes)) wrong.push(`${bytes} bytes`);
      if (!/^(?:[0-9a-f]{64})?$/.test(sha256)) wrong.push(`hash ${sha256}`);
    }
    return wrong;
  },
};

const APT_WORDS = [
  'E: Failed to fetch http://deb.example/debian/x.deb  404  Not Found [IP: 1.2.3.4 80]',
  'W: Failed to fetch http://deb.example/debian/dists/sid/InRelease  Could not resolve',
  "E: You don't have enough free space in /var/cache/apt/archives/.",
  'E: Could not get lock /x/lists/lock - open (11: Resource temporarily unavailable)',
  'W: GPG error: http://deb.example sid InRelease: NO_PUBKEY 0123456789ABCDEF',
  'E: Release file for http://deb.example/ is expired (invalid since 2d).',
  'E: Unable to locate package foo',
  "E: Version '1' for 'foo' was not found",
  'Err:1 http://deb.example sid Release',
  '  Hash Sum mismatch',
];

const APT_ERRORS: Target = {
  name: 'supply:apt-errors',
  holds: 'what a failed apt says: one error of the room with a hint, its words bounded; known words keep their meaning',
  weight: 20,
  open: () => chance => {
    const lines = Array.from({ length: chance.below(6) }, () => spoiledText(chance, chance.pick(APT_WORDS), APT_WORDS));
    const error = classifyApt(lines.join('\n'), 'deb.example');
    const wrong = errorFaults(error, [SupplyError]);
    if (error.hint === undefined) wrong.push('no hint');
    const cause = error.cause instanceof Error ? error.cause.message : '';
    if (cause.length > 4100) wrong.push(`a cause of ${cause.length} characters`);
    // A full disk is one whatever stands beside it.
    const full = classifyApt(`${lines.join('\n')}\nE: No space left on device`, 'm');
    if (full.code !== 'E_SUPPLY_DISK_FULL') wrong.push(`a full disk is ${full.code}`);
    return wrong;
  },
};

const DEB822 = `# comment
Types: deb deb-src
URIs: http://deb.example/debian http://user:secret@b.example/debian/
Suites: trixie trixie-updates
Components: main non-free
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Trusted: yes

Types: deb
URIs: http://security.example/debian-security
Suites: trixie-security
Components: main
Enabled: no
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abcdef
`;
const ONE_LINE = `deb [arch=amd64,arm64 trusted=yes signed-by=/a.gpg] http://deb.example/debian trixie main # x
deb-src http://deb.example/debian trixie main
deb http://deb.example/debian sid main contrib
`;

function sourceFaults(sources: readonly DebianSource[], text: string): string[] {
  const wrong = sources.length > text.length ? ['more sources than characters'] : [];
  for (const { uri, suites, components, options, where } of sources) {
    if (!text.includes(uri) || /\s/.test(uri)) wrong.push(`address ${uri}`);
    if ([...suites, ...components].some(w => w === '' || /\s/.test(w))) wrong.push('a word with a blank');
    if (Object.getPrototypeOf(options) !== Object.prototype) wrong.push('options that inherit something else');
    if (!/^f:\d+$/.test(where)) wrong.push(`where ${where}`);
  }
  return wrong;
}

const SOURCES: Target = {
  name: 'supply:sources',
  holds:
    'sources of apt, both formats: what stands in them, and the mirror chosen from them is the same when apt reads it again',
  weight: 20,
  open: () => chance => {
    const oneLine = chance.oneIn(3);
    const text = spoiledText(chance, oneLine ? ONE_LINE : DEB822, [DEB822, ONE_LINE]);
    const sources = oneLine ? parseOneLine(text, 'f') : parseDeb822(text, 'f');
    const wrong = sourceFaults(sources, text);
    const mirror = chooseMirror(sources, undefined);
    if (mirror === undefined) return wrong;
    // Who it is that asks stands before the host.
    if (/^[a-z+]*:\/\/[^/]*@/i.test(mirror.label)) wrong.push(`a password may be in ${mirror.label}`);
    const again = parseDeb822(sourcesText(mirror, ['sid', 'trixie']), 'f');
    wrong.push(
      ...differences(
        'written for apt',
        again.map(s => [s.uri, s.suites, s.components]),
        [[mirror.uri, ['sid', 'trixie'], ['main']]],
      ),
    );
    const [source] = again;
    const kept = { ...source?.options };
    delete kept['targets'];
    const wanted = { ...mirror.options, ...(mirror.signedBy === undefined ? {} : { 'signed-by': mirror.signedBy }) };
    wrong.push(...differences('its options', kept, wanted));
    return wrong;
  },
};

const MIRROR: Target = {
  name: 'supply:mirror',
  holds: 'addresses of mirrors: one apt can take or an error of the room; no user name or password in what is shown',
  weight: 50,
  open: () => chance => {
    const word = (): string => chance.pick(['me', 'secret', 's3cr@t', 'a:b', 'x%40y', 'p@@q']);
    const uri = `${chance.pick(['http', 'https', 'tor+https'])}://${word()}:${word()}@deb.example/debian/@x`;
    const wrong: string[] = [];
    if (!mirrorLabel(uri).includes('://deb.example/debian/@x')) wrong.push(`${uri} is shown as ${mirrorLabel(uri)}`);
    const any = spoiledText(chance, uri);
    const { value, wrong: thrown } = attempt(() => checkMirrorUri(any, 'SYNDROME_MIRROR'), [SupplyError]);
    wrong.push(...thrown);
    if (value !== undefined && /[\s"]/.test(value)) wrong.push(`an address with a blank: ${JSON.stringify(value)}`);
    return wrong;
  },
};

/** A version that dpkg would take, or nearly. */
function anyVersion(chance: Chance): string {
  const piece = (): string =>
    chance.pick(['0', '1', '00', '10', '9', '~', '~~', 'a', 'rc', '+', '.', '-', ':', 'Z', '~rc1']);
  const text = Array.from({ length: chance.below(6) }, piece).join('');
  return chance.oneIn(16)
    ? anyText(chance)
    : (chance.oneIn(4) ? chance.pick(['0:', '1:', '2:', '1e3:', '0x1:']) : '') + text;
}

const VERSIONS: Target = {
  name: 'supply:versions',
  holds: 'versions: an order (reflexive, antisymmetric, transitive), also of kernels; ~ before everything',
  weight: 40,
  open: () => chance => {
    const [a, b, c] = [anyVersion(chance), anyVersion(chance), anyVersion(chance)];
    const wrong: string[] = [];
    for (const compare of [compareDebianVersions, compareKernels]) {
      const order = (x: string, y: string): number => Math.sign(compare(x, y));
      const what = `${compare.name} ${JSON.stringify([a, b, c])}`;
      if (order(a, a) !== 0) wrong.push(`${what}: not itself`);
      if (order(a, b) !== -order(b, a) || Number.isNaN(order(a, b))) wrong.push(`${what}: not antisymmetric`);
      if (order(a, b) <= 0 && order(b, c) <= 0 && order(a, c) > 0) wrong.push(`${what}: not transitive`);
      if (order(a, b) === 0 && order(a, c) !== order(b, c)) wrong.push(`${what}: equal, and not alike`);
    }
    // A suffix of the upstream part, where there is no revision behind it.
    if (!a.includes('-') && compareDebianVersions(`${a}~`, a) >= 0) wrong.push(`${a}~ is not before ${a}`);
    if (!a.includes(upstreamVersion(a))) wrong.push(`upstream of ${a}`);
    return wrong;
  },
};

const KERNEL_NAMES = [
  'linux-image-6.1.0-50-amd64',
  'linux-binary-6.19.4+deb14-cloud-amd64',
  'linux-image-7.3~rc7-cloud-amd64',
  'linux-image-6.12.9-rt-amd64',
  'linux-image-6.1.0-50-arm64',
];

const KERNELS: Target = {
  name: 'supply:kernels',
  holds:
    'packages on offer and any query: kernels of the list alone, newest first; what is chosen is what was asked for',
  weight: 20,
  open: () => chance => {
    const entries = Array.from({ length: chance.below(6) }, () => ({
      name: spoiledText(chance, chance.pick(KERNEL_NAMES), KERNEL_NAMES),
      version: chance.oneIn(3) ? anyVersion(chance) : chance.pick(['6.1.176-1', '6.19.4-1', '7.3~rc7-1~exp1']),
      suite: 'sid',
      bytes: chance.pick([10, 90_000_000]),
      sha256: HASH,
    }));
    const offers = kernelsIn(entries, 'amd64');
    const wrong: string[] = [];
    for (const offer of offers) if (!entries.some(e => e.name === offer.package)) wrong.push(offer.package);
    offers.forEach((offer, i) => {
      const next = offers[i + 1];
      if (next && compareKernels(offer.version, next.version) < 0)
        wrong.push(`${offer.version} before ${next.version}`);
    });
    const asked = spoiledText(chance, chance.pick(['newest', '6.19', '6.19.4', '7.3-rc7', '6.1.0-50', '6.1.176-1']));
    const query = parseKernelQuery(asked);
    if (query === undefined) return wrong;
    const found = selectKernel(offers, query);
    if (found !== undefined && !offers.includes(found)) wrong.push('a kernel that is not on offer');
    if (
      found &&
      query.kind === 'exact' &&
      ![found.version, found.packageVersion, found.release].some(v => v.startsWith(query.text))
    ) {
      wrong.push(`${found.release} for ${query.text}`);
    }
    const floor = queryFloor(query);
    if (floor !== undefined && !/^\d+(\.\d+)*$/.test(floor)) wrong.push(`floor ${floor}`);
    const near = nearestVersions(offers, asked);
    if (near.length > 6 || near.some(v => !offers.some(o => o.version === v)))
      wrong.push('versions that are not on offer');
    return wrong;
  },
};

const MANIFEST = {
  schema: 1,
  kind: 'qemu',
  name: 'qemu-x86_64',
  version: '10.0.2',
  created: '2026-01-01T00:00:00.000Z',
  origin: { mirror: 'deb.example', suites: ['sid'] },
  packages: [{ name: 'qemu-system-x86', version: '1:10.0.2', sha256: HASH, bytes: 5 }],
  facts: { program: 'root/usr/bin/qemu-system-x86_64' },
  files: [['root/usr/bin/qemu-system-x86_64', 5, 1_700_000_000_000, HASH]],
  links: [['root/a', 'b']],
};
const MANIFEST_WORDS = [...Object.keys(MANIFEST), 'root/a', '../../x', '/etc/passwd', 'a/../../b', 'sha256', 'bytes'];

const text = (value: unknown, chance: Chance): string =>
  chance.oneIn(4) ? spoiledText(chance, JSON.stringify(value)) : JSON.stringify(value);

const MANIFEST_TARGET: Target = {
  name: 'supply:manifest',
  holds: 'a damaged manifest: none, or a sound one, whose files lie in the part; the whole one is taken as it is',
  weight: 8,
  open: () => chance => {
    const wrong = differences('read', parseManifest(JSON.stringify(MANIFEST)), MANIFEST);
    const value = chance.oneIn(8) ? anyJson(chance, MANIFEST_WORDS) : spoiledJson(chance, MANIFEST, MANIFEST_WORDS);
    const manifest = parseManifest(text(value, chance));
    if (manifest === undefined) return wrong;
    for (const [path, bytes, mtimeMs, sha256] of manifest.files) {
      if (path.startsWith('/') || path.split('/').includes('..')) wrong.push(`a file outside: ${path}`);
      if (!Number.isFinite(bytes) || !Number.isFinite(mtimeMs) || typeof sha256 !== 'string')
        wrong.push('a file without size');
    }
    for (const [path, target] of manifest.links) {
      if (path.startsWith('/') || path.split('/').includes('..') || typeof target !== 'string')
        wrong.push(`a link ${path}`);
    }
    const { kind, name, version, created, origin, packages, facts } = manifest;
    const words = [kind, name, version, created, origin.mirror, ...origin.suites, ...Object.values(facts)];
    for (const p of packages) words.push(p.name, p.version, p.sha256);
    if (words.some(w => typeof w !== 'string')) wrong.push('a word that is none');
    if (packages.some(p => !Number.isFinite(p.bytes))) wrong.push('a package without size');
    return wrong;
  },
};

const ANSWER = { schema: 1, part: 'qemu-0123456789ab', recipe: recipeVersion('qemu'), at: 1_700_000_000_000 };
const NOTE = { bytes: 5, mtimeMs: 1_700_000_000_000, sha256: HASH };

const NOTES: Target = {
  name: 'supply:notes',
  holds: 'damaged answers, notes of derived files, locks and names of work folders: nothing, or one that can be used',
  weight: 16,
  open: () => {
    const owner = { ...thisProcess() };
    return chance => {
      const wrong = [
        ...differences('answer', parseAnswer(JSON.stringify(ANSWER)), ANSWER),
        ...differences('note', parseNote(JSON.stringify(NOTE)), NOTE),
        ...differences('owner', parseOwner(JSON.stringify({ ...owner, nonce: 'x' })), owner),
      ];
      const spoiled = (value: object): string => {
        const words = [...Object.keys(value), '..', 'a/b'];
        return text(chance.oneIn(8) ? anyJson(chance, words) : spoiledJson(chance, value, words), chance);
      };
      const answer = parseAnswer(spoiled(ANSWER));
      if (answer !== undefined) {
        if (!Number.isFinite(answer.at)) wrong.push(`an answer at ${answer.at}`);
        if (!/^[A-Za-z0-9][\w.+~-]*$/.test(answer.part)) wrong.push(`part ${answer.part}`);
      }
      const note = parseNote(spoiled(NOTE));
      if (note && !(Number.isFinite(note.bytes) && Number.isFinite(note.mtimeMs) && typeof note.sha256 === 'string')) {
        wrong.push('a note of nothing');
      }
      const name = Buffer.from(spoiled(Object.values(owner))).toString('base64url');
      for (const o of [parseOwner(spoiled(owner)), workOwner(chance.oneIn(4) ? anyText(chance) : `${name}.0123`)]) {
        if (o === undefined) continue;
        if (!Number.isSafeInteger(o.pid) || o.pid < 1) wrong.push(`pid ${String(o.pid)}`);
        if ([o.start, o.boot, o.namespace].some(w => typeof w !== 'string')) wrong.push('an owner that is no words');
        // Elsewhere than here: only time can tell.
        if (isStale(o, 0, { ...owner, boot: 'another' }) && o.boot !== 'another') wrong.push('stale at once');
      }
      return wrong;
    };
  },
};

export const SUPPLY: readonly Target[] = [
  APT_URIS,
  APT_ERRORS,
  SOURCES,
  MIRROR,
  VERSIONS,
  KERNELS,
  MANIFEST_TARGET,
  NOTES,
];
