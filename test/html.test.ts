/** `--html`: what is in the page, and that nothing but its own script and style can act in it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillTemplate, template } from '@syndrome/web/template.ts';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const PAIR = join(import.meta.dirname, '../packages/trace/src/compare/golden');
const BAD = join(PAIR, 'pair-amd-deferred-6.19.6.ndjson');
const GOOD = join(PAIR, 'pair-amd-deferred-7.3.4.ndjson');

/** The page's own program, packed. */
const PROGRAM = /<script type="application\/gzip;base64" id="syndrome">([^<]*)<\/script>/;

let sandbox: Sandbox;
let html = '';
beforeAll(async () => {
  sandbox = new Sandbox();
  html = await template();
});
afterAll(() => sandbox.remove());
const run = (...args: string[]): Promise<Ended> => runInside(sandbox.env, args);

/** The files that a page carries. */
const carried = (page: string): { kind: string; name: string; text: string }[] =>
  [
    ...page.matchAll(
      /<script type="application\/gzip;base64" data-kind="(\w+)" data-name="([^"]*)">([^<]*)<\/script>/g,
    ),
  ].map(([, kind = '', name = '', data = '']) => ({
    kind,
    name,
    text: gunzipSync(Buffer.from(data, 'base64')).toString(),
  }));
const page = (name: string): string => readFileSync(join(sandbox.dir, name), 'utf8');
const at = (name: string): string => join(sandbox.dir, name);

describe('the template', () => {
  test('allows its own script and style by their hashes, and nothing else', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const script = gunzipSync(Buffer.from(PROGRAM.exec(html)?.[1] ?? '', 'base64')).toString();
    const begin = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
    expect(script.length).toBeGreaterThan(100_000);
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(begin)} ${hashOf(script)}`,
      `style-src ${hashOf(style)}`,
      'img-src data: blob:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    // Also where a test builds it, it is the page that is published.
    expect(script).not.toMatch(/__self:|_jsxFileName/);
    expect(html).not.toMatch(/unsafe-inline|unsafe-eval|src="http|href="http/);
    // Nothing is made of text, but what the policy knows: there is no way for it to become an element.
    expect(begin.length).toBeLessThan(1100);
    // Nor does it say where it was built.
    expect(script).not.toContain('__self');
    expect(script).not.toMatch(/dangerouslySetInnerHTML:|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  });
  test('keeps its budget', () => {
    // All readers, tables and rules of the decoder are in it, and grow with it. Raise these knowingly.
    expect(Buffer.byteLength(html)).toBeLessThan(600 * 1024);
    expect(brotliCompressSync(html).length).toBeLessThan(372_000);
  });
  test.each(['</script><script>x</script>', '$& $` $1 $<name>', '"><img src=x>', "'&<>"])(
    'whatever it is given is data: %s',
    nasty => {
      const filled = fillTemplate(html, [{ kind: 'trace', name: nasty, bytes: Buffer.from(nasty) }]);
      const [file] = carried(filled);
      expect(file?.text).toBe(nasty);
      expect(file?.name).not.toMatch(/[<>"']/);
      expect(filled.replace(/<script type="application[^\n]* data-kind[^\n]*/, '<!--DATA-->')).toBe(html);
    },
  );
});

test('a trace is in the page as it is, and the exit code is that of the verdict', async () => {
  const good = await run('show', GOOD, '--html', at('good.html'));
  expect(good).toEqual({ code: 0, stdout: '', stderr: `page ${at('good.html')}\n` });
  expect(carried(page('good.html'))).toEqual([
    { kind: 'trace', name: 'pair-amd-deferred-7.3.4.ndjson', text: readFileSync(GOOD, 'utf8') },
  ]);
  expect((await run('show', BAD, '--html', at('bad.html'), '--json')).code).toBe(1);
});
test('two traces are in one page, A first', async () => {
  const { code, stdout } = await run('compare', BAD, GOOD, '--html', at('two.html'));
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(carried(page('two.html')).map(({ text }) => text)).toEqual(
    [BAD, GOOD].map(file => readFileSync(file, 'utf8')),
  );
});

describe('decode', () => {
  const LOG = [
    'Nov 28 20:58:07 db1 kernel: mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 8: 8c00004000010092',
    'Nov 28 20:58:07 db1 kernel: mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR 87ee000 MISC 4000008c ',
    '',
  ].join('\n');
  test('puts a log into the page as it is', async () => {
    writeFileSync(at('kern.log'), LOG);
    expect(await run('decode', at('kern.log'), '--html', at('log.html'))).toMatchObject({ code: 0, stdout: '' });
    expect(carried(page('log.html'))).toEqual([{ kind: 'log', name: 'kern.log', text: LOG }]);
  });
  test('and with --redact its records, without the names', async () => {
    expect((await run('decode', at('kern.log'), '--redact', '--html', at('clean.html'))).code).toBe(0);
    const [file] = carried(page('clean.html'));
    expect(file?.text).not.toContain('db1');
    expect(file?.text).toContain('0x8c00004000010092');
    expect(page('clean.html')).not.toContain('kern.log');
  });
  test('nor those of the files and folders that the records were read from', async () => {
    const folder = at('customer-acme');
    mkdirSync(folder);
    for (const name of ['db1-kern.log', 'db2-kern.log']) writeFileSync(join(folder, name), LOG);
    for (const words of [[folder], [join(folder, 'db1-kern.log'), join(folder, 'db2-kern.log')]]) {
      expect((await run('decode', ...words, '--redact', '--html', at('clean.html'))).code).toBe(0);
      const [file] = carried(page('clean.html'));
      expect(file?.text).toContain('0x8c00004000010092');
      expect(file?.text).toMatch(/"source":\{"input":"input 1",/);
      expect(file?.text).not.toMatch(/acme|kern\.log|db[12]/);
    }
  });
  test('puts several logs into the page as they are', async () => {
    const names = ['one.log', 'two.log'];
    for (const name of names) writeFileSync(at(name), `${name}\n${LOG}`);
    expect(await run('decode', ...names.map(at), '--html', at('both.html'))).toMatchObject({ code: 0, stdout: '' });
    expect(carried(page('both.html'))).toEqual(names.map(name => ({ kind: 'log', name, text: `${name}\n${LOG}` })));
  });
  /** Runs the program with a shell's words, and with what it is piped. */
  const shell = (command: string, input?: Uint8Array | string): { status: number | null; stderr: string } => {
    const bin = join(import.meta.dirname, '../bin/syndrome');
    return spawnSync('bash', ['-c', command, bin], { cwd: sandbox.dir, env: sandbox.env, encoding: 'utf8', input });
  };
  test.each([
    ['stdin', '"$0" decode --html piped.html'],
    ['stdin', '"$0" decode - --html piped.html'],
    ['pipe', '"$0" decode <(cat) --html piped.html < <(cat kern.log)'],
  ])('a pipe as it came: %s, %s', (name, command) => {
    writeFileSync(at('kern.log'), LOG);
    expect(shell(command, LOG).status).toBe(0);
    expect(carried(page('piped.html'))).toEqual([{ kind: 'log', name, text: LOG }]);
  });
  test('a reader of the page that goes away is no fault', () => {
    const { status, stderr } = shell(
      'set -o pipefail; "$0" decode 0xbd80000000100134 --html /dev/stdout | head -c 5 >/dev/null',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
  test('of a pipe without names its records', () => {
    expect(shell('"$0" decode --redact --html piped.html', LOG).status).toBe(0);
    const [file] = carried(page('piped.html'));
    expect(file?.name).toBe('records');
    expect(file?.text).not.toContain('db1');
  });
  test('and where it is too long, which is said', () => {
    const long = Buffer.alloc((64 << 20) + 1, 'nothing of interest in this line of a log\n');
    long.write(LOG);
    const { status, stderr } = shell('"$0" decode --html long.html', long);
    expect(status).toBe(0);
    expect(stderr).toContain('\nstdin is longer than 64 MiB: the page carries the records, not the lines\n');
    expect(carried(page('long.html'))[0]?.text).toMatch(/^\{"schemaVersion":1.*\}\n$/);
  });
  test('values as they were typed', async () => {
    await run('decode', 'status=0x9c00180000000000', 'vendor=amd', '--html', at('values.html'));
    expect(carried(page('values.html'))).toEqual([
      { kind: 'log', name: 'values', text: 'status=0x9c00180000000000 vendor=amd' },
    ]);
  });
  test('writes no page where there is no record', async () => {
    writeFileSync(at('none.log'), 'hello\n');
    expect((await run('decode', at('none.log'), '--html', at('none.html'))).code).toBe(4);
    expect(() => page('none.html')).toThrow('ENOENT');
  });
});
