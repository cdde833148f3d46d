/** What `npm run build` and `npm run build:single` make: packed, installed into an empty folder without a network, and used. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram } from '@syndrome/cli/program.ts';
import { ask } from '@syndrome/base/http/testing/ask.ts';
import { buildTemplate } from '@syndrome/web/build.ts';
import { servedPage } from '@syndrome/web/served.ts';
import { fillTemplate } from '@syndrome/web/template.ts';
import { vmmSources } from '@syndrome/lab/machine/images.ts';
import { Published } from './published.ts';

const ROOT = join(import.meta.dirname, '..');
const published = new Published();
const { work, run } = published;
beforeAll(() => published.build());
afterAll(() => published.remove());

const TSC = join(ROOT, 'node_modules/.bin/tsc');
const STRICT = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', ''];

/** A program of another project: a stream, one record, encode, describe, lint, predict. */
const EVERYTHING = `
import { MCI_STATUS_INTEL, createDecoder, decode, describe, encodeCper, encodeEsr, lint, predict, recordOf } from 'syndrome-decode';
import type { ArmSeaRecord, CperRecord, RawRecord, RegisterView, X86McaRecord } from 'syndrome-decode';

declare const console: { log(text: string): void };
const decoder = createDecoder({
  vendor: 'intel',
  onRecord: record => console.log(\`stream \${record.kind} \${record.class}\`),
});
decoder.push('0xbd8000000010');
decoder.push(new Uint8Array([0x30, 0x31, 0x33, 0x34, 0x0a]));
decoder.end();

const esr: ArmSeaRecord = { kind: 'arm-sea', esr: 0x92000410n, far: 0x1000n };
const one = recordOf({ raw: esr });
console.log(\`one \${one.kind} \${one.class}\`);

const status: bigint = MCI_STATUS_INTEL.encode({ VAL: true, UC: true, EN: true, PCC: true });
const abort: bigint = encodeEsr({ ec: 'DABT_LOW', iss: { DFSC: 0x10n } });
const cper: CperRecord = {
  kind: 'cper',
  severity: 'fatal',
  blockStatus: 0x11,
  sections: [
    {
      type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1',
      severity: 'fatal',
      revision: 0x300,
      flags: 0,
      body: { kind: 'memory' },
    },
  ],
};
const [back] = decode(encodeCper(cper)).records;
console.log(\`encode \${status.toString(16)} \${abort.toString(16)} \${back?.kind}\`);

const mca: X86McaRecord = { kind: 'x86-mca', vendor: 'intel', bank: 1, status: 0xbd80000000000134n };
const records: readonly RawRecord[] = [mca, esr, cper];
for (const raw of records) {
  const views: readonly RegisterView[] = describe(raw);
  console.log(\`\${raw.kind} \${views.map(view => view.name)} \${lint(raw)[0]?.code}\`);
}
console.log(\`predict \${predict(mca, { consumer: 'linux', running: 'kernel' }).outcome}\`);
`;

describe('syndrome-decode', () => {
  let folder = '';
  let tarball = 0;
  beforeAll(() => {
    ({ folder, bytes: tarball } = published.installed('decode'));
  });

  /** Bytes of a program, minified and compressed as a browser would get it. */
  async function bundled(source: string): Promise<{ bytes: number; code: string }> {
    const input = join(folder, 'entry.js');
    writeFileSync(input, source);
    const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
    const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
    await bundle.close();
    return { bytes: gzipSync(output[0].code).length, code: output[0].code };
  }
  const USE = "import { decode } from 'syndrome-decode';\n";
  const SHOW = "console.log(decode('0xbd80000000100134', { vendor: 'intel' }).records[0].class);\n";

  test('is imported from Node, and depends on nothing', () => {
    writeFileSync(join(folder, 'use.js'), USE + SHOW);
    expect(run(process.execPath, ['use.js'], folder)).toBe('SRAR\n');
    expect(globSync('node_modules/*', { cwd: folder })).toEqual(['node_modules/syndrome-decode']);
  });

  test('does all that it is for, with types', () => {
    writeFileSync(join(folder, 'all.ts'), EVERYTHING);
    run(process.execPath, [TSC, ...STRICT, 'all.ts'], folder);
    expect(run(process.execPath, ['all.ts'], folder).split('\n')).toEqual([
      'stream x86-mca SRAR',
      'one arm-sea sea',
      'encode b200000000000000 92000010 cper',
      'x86-mca MCi_STATUS L_MCA_REGISTER_MISSING',
      'arm-sea ESR_ELx,FAR_ELx L_ARM_FNV_WITH_FAR',
      'cper BlockStatus L_CPER_NO_ADDRESS',
      'predict panicked',
      '',
    ]);
  });

  test('has types', () => {
    const source = `${USE}const record = decode('').records[0];\nexport const status: string | undefined = record?.severity;\n`;
    writeFileSync(join(folder, 'use.ts'), source);
    run(process.execPath, [TSC, ...STRICT, 'use.ts'], folder);
    writeFileSync(join(folder, 'use.ts'), source.replace('severity', 'severety'));
    expect(spawnSync(process.execPath, [TSC, ...STRICT, 'use.ts'], { cwd: folder }).status).not.toBe(0);
  });

  test('goes through a bundler, and what is not used stays out', async () => {
    const all = await bundled(USE + SHOW);
    writeFileSync(join(folder, 'bundle.mjs'), all.code);
    expect(run(process.execPath, ['bundle.mjs'], folder)).toBe('SRAR\n');
    expect(/\brequire\(|^import\b|['"`]node:/.exec(all.code)?.[0]).toBeUndefined();
    const little = await bundled("import { encodeEsr } from 'syndrome-decode';\nconsole.log(encodeEsr({ ec: 1 }));\n");
    // Budgets: a page pays for the first. Raise them knowingly: the first has room for the log forms of the tools and firmware
    // that are still to be read, whose readers belong to all that `decode` takes; of 150 kB 148 were used before them.
    expect(all.bytes).toBeLessThan(262_000);
    expect(little.bytes).toBeLessThan(12_000);
    // Types and source maps of every reader are in it, too; the maps name the sources of this version and do not repeat them.
    expect(tarball).toBeLessThan(1_200_000);
    console.log(`syndrome-decode: tarball ${tarball}, decode bundled ${all.bytes}, encodeEsr bundled ${little.bytes}`);
  });
});

describe('syndrome', () => {
  let folder = '';
  let tarball = 0;
  beforeAll(() => {
    ({ folder, bytes: tarball } = published.installed('syndrome'));
  });
  const syndrome = (...args: string[]): string => run(join(folder, 'node_modules/.bin/syndrome'), args, folder, env);
  const { env } = published;

  test('installs without a registry and runs', () => {
    expect(syndrome('--help')).toContain('Usage: syndrome');
    expect(syndrome('decode', '0xbd80000000100134', '--vendor', 'intel')).toContain('action required (SRAR)');
    // `decode` stands in it twice, the second time in one file: 670,000 bytes with its map.
    expect(tarball).toBeLessThan(4_300_000);
    console.log(`syndrome: tarball ${tarball}`);
  });

  test('decodes out of one file, which says the same as the files that it was made of, and knows its sources', () => {
    const cli = join(folder, 'node_modules/syndrome/packages/cli/src');
    const log = join(ROOT, 'packages/decode/src/text/golden/linux/amd-deferred-7.2.12.log');
    for (const words of [[log], ['--json', log], ['--explain', 'SRAO'], ['--triage', '0xbd80000000100134']]) {
      const whole = run(process.execPath, [join(cli, 'main.js'), 'decode', ...words], folder, env);
      expect(syndrome('decode', ...words)).toBe(whole);
    }
    const { sources } = JSON.parse(readFileSync(join(cli, 'decode-all.js.map'), 'utf8')) as { sources: string[] };
    const own = sources.filter(source => !source.includes('node_modules'));
    expect(own).toContain('../../decode/src/decode/decoder.ts');
    for (const source of own) expect(existsSync(join(ROOT, 'packages/cli/src', source)), source).toBe(true);
  });

  test('holds the scenarios, the sources of the agent and those of the reference VMM', () => {
    const clone = run(process.execPath, [join(ROOT, 'packages/cli/src/main.ts'), 'scenarios', '--json'], ROOT);
    const named = (json: string): string => json.replaceAll(/"file":"[^"]*\//g, '"file":"');
    expect(named(syndrome('scenarios', '--json'))).toBe(named(clone));
    const root = join(folder, 'node_modules/syndrome');
    const sources = (at: string): string[] => globSync('*.{c,h}', { cwd: join(at, 'guest') }).toSorted();
    expect(sources(root)).toEqual(sources(ROOT));
    const images = join(root, 'packages/lab/src/machine/images.js');
    const print = `import(${JSON.stringify(images)}).then(m => console.log(JSON.stringify(m.vmmSources().map(f => f.path))))`;
    const paths = JSON.parse(run(process.execPath, ['-e', print], folder)) as string[];
    expect(paths).toEqual(vmmSources().map(f => f.path));
  });

  test('holds the supervisor: its policies, and what a site is read with', () => {
    expect(syndrome('fleet', 'policy', 'explain', 'protect')).toMatch(/^Policy protect@2#[0-9a-f]{12}\n/);
    for (const name of ['observe', 'notify'])
      expect(syndrome('fleet', 'policy', 'check', name)).toMatch(new RegExp(`^${name} is a policy: ${name}@2,`));
    writeFileSync(join(folder, 'site.yaml'), `site: home\nfolder: ${folder}/state\nagent: { host: h1 }\n`, {
      mode: 0o600,
    });
    expect(syndrome('supervise', '--config', 'site.yaml', '--check')).toContain('policy observe@2, 1 targets');
    // What a drill starts by path has to be there under the name that it has here.
    const drill = globSync('packages/cli/src/drill/*.js', { cwd: join(folder, 'node_modules/syndrome') });
    const starts = drill.flatMap(file => {
      const text = readFileSync(join(folder, 'node_modules/syndrome', file), 'utf8');
      return Array.from(text.matchAll(/import\.meta\.dirname, '([^']+)'/g), ([, path = '']) => join(file, '..', path));
    });
    expect(starts.toSorted()).toEqual(['packages/cli/src/drill/copies.js', 'packages/cli/src/main.js']);
    for (const path of starts) expect(existsSync(join(folder, 'node_modules/syndrome', path)), path).toBe(true);
  });

  test('carries the page of a trace, the same that a clone builds', async () => {
    const trace = join(ROOT, 'packages/trace/src/golden/v2-intel-ce-logged.ndjson');
    syndrome('show', trace, '--html', 'page.html');
    const page = readFileSync(join(folder, 'page.html'), 'utf8');
    const built = fillTemplate(await buildTemplate('page'), [
      { kind: 'trace', name: 'v2-intel-ce-logged.ndjson', bytes: readFileSync(trace) },
    ]);
    expect(page === built).toBe(true);
    console.log(`page of a trace: ${page.length}, compressed ${gzipSync(page).length}`);
  });

  test('serves the page that it carries, with nothing but what is in its tarball', async () => {
    const state = join(folder, 'state');
    const server = spawn(join(folder, 'node_modules/.bin/syndrome'), ['web', '--json'], {
      cwd: folder,
      env: { ...env, SYNDROME_STATE: state },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(server, 'close');
    const [said] = (await once(server.stdout, 'data')) as [Buffer];
    const { port, pathname, search } = new URL((JSON.parse(said.toString()) as { url: string }).url);
    const cookie = (await ask(Number(port), pathname + search)).headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const page = await ask(Number(port), pathname, { headers: { cookie } });
    expect(page.body === servedPage(await buildTemplate('page')).html).toBe(true);
    server.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('has a manual page for each command', () => {
    const pages = globSync('*.1', { cwd: join(folder, 'node_modules/syndrome/man') }).toSorted();
    expect(pages).toContain('syndrome-supply-list.1');
    for (const page of pages) {
      const text = readFileSync(join(folder, 'node_modules/syndrome/man', page), 'utf8');
      expect(text).toMatch(/^\.TH SYNDROME\S* 1 /);
      // A line that begins with a dot is a request: each is known.
      for (const [, request = ''] of text.matchAll(/^[.'](\S*)/gm))
        expect(['TH', 'SH', 'TP', 'B', 'I', 'BR', 'nf', 'fi']).toContain(request);
    }
  });
});

test.skipIf(process.arch !== 'x64')('the single file decodes where there is no Node', () => {
  run(process.execPath, [join(ROOT, 'scripts/build-single.ts'), '--out', work], ROOT);
  const file = join(work, 'syndrome-linux-x64');
  const env = { PATH: '' };
  expect(run(file, ['decode', '0xbd80000000100134', '--vendor', 'intel'], work, env)).toContain(
    'action required (SRAR)',
  );
  expect(run(file, ['encode', 'srao', '--addr', '0x1000'], work, env)).toContain('0xbd000000000000c0');
  expect(run(file, ['predict', 'srao'], work, env)).toContain('Linux');
  expect(run(file, ['--help'], work, env)).toContain('Usage: syndrome');
  const elsewhere = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(file, args, { cwd: work, env, encoding: 'utf8', timeout: 60_000 });
  // Every command of the whole program is there, or is told where it is.
  const here = new Set(['decode', 'predict', 'encode']);
  const names = buildProgram().commands.map(command => command.name());
  for (const name of names.filter(known => !here.has(known))) {
    const { status, stderr } = elsewhere(name, '--config', 'x', 'demo');
    expect([status, stderr]).toEqual([2, expect.stringContaining(`${name} is not in this file`)]);
  }
  console.log(`single file: ${statSync(file).size}`);
});
