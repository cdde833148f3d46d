import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isDerivedName } from '@syndrome/base/disk/derived.ts';
import { agentBinary, agentSources } from './agent-build.ts';
import type { StaticToolchain } from './agent-build.ts';
import { agentCommands } from './protocol.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-build-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Stands for a compiler: what matters here is when it is called and where it writes. */
function recorder(id: string, fail = false): StaticToolchain & { outputs: string[] } {
  const outputs: string[] = [];
  return {
    id,
    outputs,
    async compileStatic({ source, output }) {
      outputs.push(output);
      const texts = await Promise.all(source.map(async file => await readFile(file, 'utf8')));
      await writeFile(output, `built from ${texts.join('').length} bytes`);
      if (fail) throw new Error('cc1: out of memory');
    },
  };
}

describe('building the agent', () => {
  test('once per source, toolchain and architecture', async () => {
    const toolchain = recorder('cc-1');
    const first = await agentBinary({ arch: 'amd64', toolchain, cacheDir: dir });
    expect(await agentBinary({ arch: 'amd64', toolchain, cacheDir: dir })).toBe(first);
    expect(toolchain.outputs.length).toBe(1);
    expect((await stat(first)).mode & 0o777).toBe(0o755);
    expect(await agentBinary({ arch: 'arm64', toolchain, cacheDir: dir })).not.toBe(first);
    expect(await agentBinary({ arch: 'amd64', toolchain: recorder('cc-2'), cacheDir: dir })).not.toBe(first);
    expect((await readdir(dir)).filter(isDerivedName).length).toBe(3);
  });

  test('a change of an included file builds anew', async () => {
    const main = join(dir, 'a.c');
    const header = join(dir, 'b.h');
    await writeFile(main, 'int x;');
    await writeFile(header, '1');
    const options = {
      arch: 'amd64',
      toolchain: recorder('cc'),
      cacheDir: join(dir, 'c'),
      sources: [main, header],
    } as const;
    const before = await agentBinary(options);
    await writeFile(header, '2');
    expect(await agentBinary(options)).not.toBe(before);
  });

  test('one that was cut short is built anew', async () => {
    const toolchain = recorder('cc');
    const path = await agentBinary({ arch: 'amd64', toolchain, cacheDir: dir });
    const whole = await readFile(path, 'utf8');
    await truncate(path, 4);
    expect(await agentBinary({ arch: 'amd64', toolchain, cacheDir: dir })).toBe(path);
    expect([await readFile(path, 'utf8'), toolchain.outputs.length]).toEqual([whole, 2]);
  });

  test('builds at the same time do not disturb each other', async () => {
    const toolchain = recorder('cc');
    const all = await Promise.all([1, 2, 3, 4].map(() => agentBinary({ arch: 'amd64', toolchain, cacheDir: dir })));
    expect(new Set(all).size).toBe(1);
    expect(new Set(toolchain.outputs).size).toBe(toolchain.outputs.length);
    expect(await readdir(dir)).toEqual([basename(all[0] ?? ''), `${basename(all[0] ?? '')}.json`]);
  });

  test('a failed build leaves nothing behind and keeps the compiler’s message', async () => {
    const error = await agentBinary({ arch: 'amd64', toolchain: recorder('cc', true), cacheDir: dir }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'E_GUEST_AGENT_BUILD', cause: new Error('cc1: out of memory') });
    expect(await readdir(dir)).toEqual([]);
  });

  test('what is included is hashed, and all headers are included', async () => {
    const included = new Set<string>();
    const sources = agentSources();
    for (const source of sources)
      for (const match of (await readFile(source, 'utf8')).matchAll(/^#include "([^"]+)"/gm))
        included.add(match[1] ?? '');
    const headers = sources.map(s => basename(s)).filter(s => s.endsWith('.h'));
    expect(headers).toEqual(Array.from(included).sort());
  });

  test('a folder without sources is told', () => {
    expect(() => agentSources(join(dir, 'none'))).toThrow(/cannot read the agent sources in .*none/);
  });
});

test('the C table of commands and this one agree', async () => {
  const source = await readFile(agentSources().find(s => basename(s) === 'commands.c') ?? '', 'utf8');
  const rows = Array.from(source.matchAll(/^\t\{"([a-z-]+)", IN_(AGENT|JOB|SUBJECT), "([a-z ]*)"( TIMEOUT)?, /gm));
  const inC = Object.fromEntries(
    rows.map(([, name = '', , keys = '', timed]) => [
      name,
      { keys: keys.split(' ').filter(k => k !== ''), timed: timed !== undefined },
    ]),
  );
  const here = Object.fromEntries(
    Object.entries(agentCommands).map(([name, c]) => [name, { keys: [...c.args, ...c.optional], timed: c.timed }]),
  );
  const sorted = (table: typeof inC): typeof inC =>
    Object.fromEntries(Object.entries(table).map(([n, c]) => [n, { ...c, keys: [...c.keys].sort() }]));
  expect(sorted(inC)).toEqual(sorted(here));
});
