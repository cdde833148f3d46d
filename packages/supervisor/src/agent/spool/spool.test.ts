import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { SpooledRow } from './line.ts';
import { Spool, type SpoolOptions } from './spool.ts';

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'spool-'));
  folders.push(made);
  return made;
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

const SMALL: SpoolOptions = { segmentBytes: 256, filler: 'LOST', retryMs: 5 };

async function all(spool: Spool, from = 1): Promise<SpooledRow[]> {
  const rows: SpooledRow[] = [];
  for (let next = from; ; next = (rows.at(-1)?.seq ?? 0) + 1) {
    const read = await spool.read(next);
    if (read.length === 0) return rows;
    rows.push(...read);
  }
}
async function fill(spool: Spool, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) await spool.durable(spool.append(body));
}
const bodies = (rows: SpooledRow[]): string[] => rows.map(r => r.body);
const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => `row ${i + 1} ${'x'.repeat(i % 40)}`);
const files = (path: string): string[] =>
  readdirSync(path)
    .filter(name => name !== 'lock')
    .sort()
    .map(name => join(path, name));

describe('the spool', () => {
  test('gives back what it took, numbered without holes, after each opening', async () => {
    const path = folder();
    const line = fc.string({ unit: 'binary', maxLength: 80 }).map(s => s.replaceAll('\n', ' '));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 20 }), { maxLength: 5 }), async runs => {
        const own = mkdtempSync(join(path, 'run-'));
        const taken: string[] = [];
        let id: string | undefined;
        for (const run of runs) {
          const spool = await Spool.open(own, SMALL);
          for (const body of run) spool.append(body);
          taken.push(...run);
          await spool.durable(taken.length);
          const rows = await all(spool);
          // Text of a file is UTF-8: half a surrogate pair is none.
          expect(bodies(rows)).toEqual(taken.map(t => Buffer.from(t).toString()));
          expect(rows.map(r => r.seq)).toEqual(taken.map((_, i) => i + 1));
          if (taken.length > 0) expect(spool.id).toBe((id ??= spool.id));
          await spool.close();
        }
      }),
      { numRuns: 12 },
    );
  });

  test("is nobody else's: 0700 and 0600, and refuses a folder that others may write to", async () => {
    const path = join(folder(), 'spool');
    const spool = await Spool.open(path, SMALL);
    await fill(spool, ['a']);
    await spool.close();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const file of files(path)) expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o777);
    await expect(Spool.open(path)).rejects.toThrow('others may write');
  });

  test('reads from any row on, and goes on where it was', async () => {
    const spool = await Spool.open(folder(), SMALL);
    const taken = numbered(50);
    await fill(spool, taken);
    for (const from of [1, 2, 17, 50]) expect(bodies(await all(spool, from))).toEqual(taken.slice(from - 1));
    expect(await spool.read(51)).toEqual([]);
    await fill(spool, ['more']);
    expect(bodies(await spool.read(51))).toEqual(['more']);
    await spool.close();
  });

  test('one fsync is for all that came meanwhile', async () => {
    const spool = await Spool.open(folder());
    let changes = 0;
    spool.onChange(() => changes++);
    for (const body of numbered(500)) spool.append(body);
    await spool.durable(500);
    expect(changes).toBeLessThan(5);
    await spool.close();
  });

  test('removes only segments that are wholly behind the watermark, and goes on numbering', async () => {
    const path = folder();
    const spool = await Spool.open(path, SMALL);
    await fill(spool, numbered(40));
    const before = files(path).length;
    await spool.acknowledge(20);
    expect(files(path).length).toBeLessThan(before);
    expect((await spool.read(21)).at(0)?.seq).toBe(21);
    const first = (await spool.read(1)).at(0)?.seq ?? 0;
    expect(first).toBeGreaterThan(1);
    expect(first).toBeLessThanOrEqual(21);
    await spool.acknowledge(40);
    expect(files(path)).toHaveLength(1);
    await spool.close();
    const again = await Spool.open(path, SMALL);
    expect(again.append('next')).toBe(41);
    expect(again.id).toBe(spool.id);
    await again.close();
  });

  test('is for one agent at a time; one that was killed holds nothing', async () => {
    const path = folder();
    const spool = await Spool.open(path, SMALL);
    await expect(Spool.open(path, SMALL)).rejects.toMatchObject({ code: 'E_AGENT_RUNNING' });
    await spool.close();
    writeFileSync(join(path, 'lock'), `${process.pid} 1`);
    await (await Spool.open(path, SMALL)).close();
  });

  test('refuses what is no line, and what comes after its end', async () => {
    const spool = await Spool.open(folder(), SMALL);
    expect(() => spool.append('a\nb')).toThrow('one line');
    expect(() => spool.append('x'.repeat((1 << 20) + 1))).toThrow('one line');
    await spool.close();
    expect(() => spool.append('a')).toThrow('closed');
  });

  test('says how full it is', async () => {
    const spool = await Spool.open(folder(), { maxBytes: 1000, segmentBytes: 250 });
    expect(spool.fill).toBeLessThan(0.1);
    await fill(spool, numbered(30));
    expect(spool.fill).toBeGreaterThan(0.9);
    await spool.acknowledge(30);
    expect(spool.fill).toBeLessThan(0.5);
    // All in one go, which fills a segment beyond its size: confirmed, it makes room too.
    for (const body of numbered(30)) spool.append(body);
    await spool.durable(60);
    expect(spool.fill).toBeGreaterThan(0.9);
    await spool.acknowledge(60);
    expect(spool.fill).toBeLessThan(0.5);
    expect(spool.append('next')).toBe(61);
    await spool.close();
  });
});

describe('what is found again', () => {
  test('a torn tail is cut off, at any byte', async () => {
    const path = folder();
    const spool = await Spool.open(path, { filler: 'LOST' });
    await fill(spool, ['one', 'two', 'three']);
    await spool.close();
    const file = files(path)[0] as string;
    const whole = readFileSync(file);
    const ends = [...whole.keys()].filter(i => whole[i] === 0x0a).map(i => i + 1);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const again = await Spool.open(path, { filler: 'LOST' });
      const rows = ends.filter(end => end <= length).length - 1;
      expect(bodies(await all(again))).toEqual(['one', 'two', 'three'].slice(0, Math.max(0, rows)));
      const seq = again.append('new');
      expect(seq).toBe(Math.max(0, rows) + 1);
      await again.durable(seq);
      expect(bodies(await all(again)).at(-1)).toBe('new');
      await again.close();
      for (const f of files(path)) rmSync(f);
    }
  });

  test('zeros behind the last row, as a file system may leave them, are a torn tail', async () => {
    const path = folder();
    const spool = await Spool.open(path);
    await fill(spool, ['one']);
    await spool.close();
    appendFileSync(files(path)[0] as string, Buffer.alloc(4096));
    const again = await Spool.open(path);
    expect(again.recovery).toEqual({ torn: 4096, damaged: 0 });
    expect(again.append('two')).toBe(2);
    await again.durable(2);
    expect(bodies(await all(again))).toEqual(['one', 'two']);
    await again.close();
  });

  test('a damaged row is replaced and said, and no other row is lost', async () => {
    const path = folder();
    const spool = await Spool.open(path, SMALL);
    const taken = numbered(40);
    await fill(spool, taken);
    await spool.close();
    const damaged = files(path)[1] as string;
    const text = readFileSync(damaged, 'utf8');
    const victim = /row (\d+)/.exec(text)?.[1] ?? '';
    writeFileSync(damaged, text.replace(`row ${victim}`, `rox ${victim}`));
    const again = await Spool.open(path, SMALL);
    expect(again.recovery.damaged).toBe(1);
    const expected = taken.map((body, i) => (i + 1 === Number(victim) ? 'LOST' : body));
    expect(bodies(await all(again))).toEqual(expected);
    await again.close();
  });

  test('a segment that is gone, or cut, leaves fillers', async () => {
    for (const harm of [
      (f: string) => rmSync(f),
      (f: string) => truncateSync(f, 120),
      (f: string) => writeFileSync(f, 'x'),
    ]) {
      const path = folder();
      const spool = await Spool.open(path, SMALL);
      const taken = numbered(40);
      await fill(spool, taken);
      await spool.close();
      harm(files(path)[1] as string);
      const again = await Spool.open(path, SMALL);
      const rows = await all(again);
      expect(rows.map(r => r.seq)).toEqual(taken.map((_, i) => i + 1));
      expect(rows.filter(r => r.body === 'LOST').length).toBeGreaterThan(0);
      for (const row of rows) expect([taken[row.seq - 1], 'LOST']).toContain(row.body);
      expect(again.recovery.damaged).toBeGreaterThan(0);
      await again.close();
    }
  });

  test('where the newest rows cannot be read it goes on under another id: no seq says two things', async () => {
    const path = folder();
    const spool = await Spool.open(path, SMALL);
    await fill(spool, numbered(40));
    await spool.close();
    const newest = files(path).at(-1) as string;
    writeFileSync(newest, readFileSync(newest).fill(0x78, 0, 10));
    const again = await Spool.open(path, SMALL);
    expect(again.id).not.toBe(spool.id);
    const rows = bodies(await all(again));
    expect(rows).toEqual(numbered(40).slice(0, rows.length));
    expect(rows.length).toBeGreaterThan(20);
    await again.close();
  });

  test('renew keeps what was not confirmed, under another id, also when it was not finished', async () => {
    const path = folder();
    const spool = await Spool.open(path, SMALL);
    await fill(spool, numbered(40));
    await spool.acknowledge(25);
    const id = spool.id;
    spool.append('on its way');
    await spool.renew();
    expect(spool.id).not.toBe(id);
    await spool.durable(spool.lastSeq);
    expect(new Set(bodies(await all(spool)))).toEqual(new Set([...numbered(40).slice(25), 'on its way']));
    await spool.close();
    // A segment of an older id that was not removed.
    writeFileSync(join(path, 'seg-0000000001.log'), `syndrome-spool 1 ${id} 1\n`);
    const again = await Spool.open(path, SMALL);
    expect(again.id).toBe(spool.id);
    expect(bodies(await all(again))).toHaveLength(16);
    expect(files(path).some(f => f.includes('0000000001'))).toBe(false);
    await again.close();
  });
});

const node = process.execPath;
const module = new URL('spool.ts', import.meta.url).href;
/** Writes rows for as long as it lives, and prints the seq of each that it was told to be durable. */
const WRITER = `
  import { Spool } from ${JSON.stringify(module)};
  const spool = await Spool.open(process.argv[1], { segmentBytes: 4096, retryMs: 5 });
  const failed = () => process.stdout.write('full ' + (spool.failure ?? '') + '\\n');
  spool.onChange(() => spool.failure === undefined ? undefined : failed());
  for (let i = 0; i < Number(process.argv[2]); i++) {
    const seq = spool.append('body ' + (spool.lastSeq + 1) + ' ' + 'y'.repeat(i % 97));
    spool.durable(seq).then(() => process.stdout.write(seq + '\\n'), () => undefined);
    if (i % 7 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  await spool.durable(spool.lastSeq);
  await spool.close();
`;
const child = (command: string, args: string[]): ReturnType<typeof spawn> =>
  spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });

describe('faults', () => {
  test('kill -9 in the middle of writes: what was called durable is there, in order', { timeout: 60_000 }, async () => {
    const path = folder();
    let promised = 0;
    for (let round = 0; round < 6; round++) {
      const writer = child(node, ['--input-type=module', '-e', WRITER, path, '1000000']);
      const rows = 100 + round * 150;
      let text = '';
      let seen = 0;
      for await (const chunk of writer.stdout as AsyncIterable<Buffer>) {
        text += chunk.toString();
        const lines = text.split('\n');
        text = lines.pop() as string;
        seen += lines.length;
        promised = Math.max(promised, ...lines.map(Number));
        if (seen > rows) writer.kill('SIGKILL');
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
      const spool = await Spool.open(path, { filler: 'LOST' });
      expect(spool.recovery.damaged).toBe(0);
      const read = await all(spool);
      expect(read.length).toBeGreaterThanOrEqual(promised);
      expect(read.every((r, i) => r.seq === i + 1 && r.body.startsWith(`body ${r.seq} `))).toBe(true);
      await spool.close();
    }
  });

  test('a disk that is full is survived, and everything is written when there is room', {
    timeout: 60_000,
  }, async () => {
    const path = folder();
    // RLIMIT_FSIZE makes each write beyond it fail with EFBIG, in the middle of a line; SIGXFSZ is ignored by Node.
    const args = ['--fsize=3000:unlimited', node, '--input-type=module', '-e', WRITER, path, '400'];
    const writer = child('prlimit', args);
    const promised = new Set<number>();
    let full = false;
    let text = '';
    for await (const chunk of writer.stdout as AsyncIterable<Buffer>) {
      text += chunk.toString();
      const lines = text.split('\n');
      text = lines.pop() as string;
      for (const line of lines) {
        if (!line.startsWith('full')) promised.add(Number(line));
        else if (!full) {
          full = true;
          expect(line).toMatch(/EFBIG|file too large/);
          child('prlimit', [`--pid=${writer.pid}`, '--fsize=unlimited:unlimited']);
        }
      }
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
    expect(full).toBe(true);
    expect(promised.size).toBe(400);
    const spool = await Spool.open(path, { filler: 'LOST' });
    expect(spool.recovery).toEqual({ torn: 0, damaged: 0 });
    expect((await all(spool)).map(r => r.body.split(' ')[1])).toEqual(
      Array.from({ length: 400 }, (_, i) => `${i + 1}`),
    );
    await spool.close();
  });
});
