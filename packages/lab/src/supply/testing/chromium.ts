/**
 * A browser for tests of pages: Debian's headless Chromium with the libraries and the fonts of its own suite, run where it was
 * unpacked.
 */
import { chmodSync, copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { supplyError } from '../errors.ts';
import { Fetcher } from '../fetcher.ts';
import { cacheRoot, openLayout } from '../layout.ts';
import { findLoader, missingLibraries } from '../qemu.ts';

/** Of the dependency closure what it runs with; the rest belongs to an installed system. */
const NEEDED = /^(?:lib|zlib1g$|chromium-headless-shell$|chromium-common$|fonts-dejavu-(?:core|mono)$)/;
const NOT_NEEDED = /^(?:libc-bin|libc-gconv-modules|libpam|libperl|libsystemd-shared|libdebconf|libnss-)/;
/** Programs, and what draws with a graphics card: 300 MB. */
const UNUSED =
  /^usr\/(?:s?bin|include|libexec)\/|\/gconv\/|\/dri\/|\/lib(?:LLVM|z3|gallium|VkLayer|VkICD)[^/]*$|\.TOC$|chrome_crashpad_handler$|\/locales\/(?!en-US)/;
const FOLDER = 'usr/lib/chromium';
const PROGRAM = 'chromium-headless-shell';

/**
 * Chromium looks for its files beside the program that the kernel started, and starts that again for its renderers. Here the
 * kernel starts the loader: so a copy of it lies beside Chromium, and the renderers are started by this script.
 */
const script = (libraries: string): string => `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export FONTCONFIG_FILE="$here/fonts.conf"
case " $* " in
*" --type="*) ;;
*) set -- --no-zygote --browser-subprocess-path="$here/start" "$@" ;;
esac
exec "$here/loader" --inhibit-cache --library-path "$here/${libraries}" "$here/${PROGRAM}" "$@"
`;

/** Only the fonts that came along: pictures of a page are then the same on every machine. */
const fonts = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<dir prefix="relative">${folder}</dir>
<cachedir prefix="xdg">fontconfig</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;

async function describe(root: string, signal: AbortSignal | undefined): Promise<Record<string, string>> {
  const found = findLoader(root);
  const folder = join(root, FOLDER);
  const program = join(folder, PROGRAM);
  if (!found || !existsSync(program)) {
    const names = existsSync(folder) ? readdirSync(folder).join(' ') : 'no such folder';
    throw supplyError('E_SUPPLY_APT', `the packages of Chromium hold no ${FOLDER}/${PROGRAM}: ${names.slice(0, 400)}`);
  }
  // PulseAudio's library is linked with one in a folder of its own.
  const pulse = join(root, found.libraries, 'pulseaudio');
  for (const name of existsSync(pulse) ? readdirSync(pulse) : [])
    copyFileSync(join(pulse, name), join(root, found.libraries, name));
  const missing = await missingLibraries(join(root, found.loader), join(root, found.libraries), program, signal);
  if (missing.length > 0) {
    throw supplyError('E_SUPPLY_APT', `libraries of Chromium are missing in its packages: ${missing.join(', ')}`);
  }
  copyFileSync(join(root, found.loader), join(folder, 'loader'));
  chmodSync(join(folder, 'loader'), 0o755);
  writeFileSync(join(folder, 'fonts.conf'), fonts(relative(folder, join(root, 'usr/share/fonts'))));
  writeFileSync(join(folder, 'start'), script(relative(folder, join(root, found.libraries))));
  chmodSync(join(folder, 'start'), 0o755);
  return { program: `root/${FOLDER}/start` };
}

/** Path of a program that starts Chromium, and its version. Fetched on first use, as other parts are. */
export async function testChromium(): Promise<{ program: string; version: string }> {
  const fetcher = new Fetcher(openLayout(cacheRoot(undefined)), {});
  const arch = fetcher.hostArch();
  const part = await fetcher.obtain({
    key: `chromium-${arch}`,
    kind: 'chromium',
    label: `chromium (${arch})`,
    exact: false,
    resolve: async refresh => {
      const suites = await fetcher.index('chromium', arch, ['trixie', 'trixie-updates'], { refresh, optional: true });
      const want = (name: string): boolean => NEEDED.test(name) && !NOT_NEEDED.test(name);
      const packages = await fetcher
        .apt(arch)
        .closure(suites, [PROGRAM, 'fonts-dejavu-core', 'fonts-dejavu-mono'], { want });
      const version = packages.find(p => p.name === PROGRAM)?.version ?? '';
      return {
        name: `chromium-${version}`,
        version,
        groups: [{ arch, suites, packages }],
        keep: path => !UNUSED.test(path),
        finish: async root => await describe(root, fetcher.options.signal),
      };
    },
  });
  return { program: join(part.folder, part.manifest.facts['program'] ?? ''), version: part.manifest.version };
}
