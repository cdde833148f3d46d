/** What README and docs/ show and say holds: commands, outputs, links, transcripts, names of rooms. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentCommands, requiredEventFields } from '@syndrome/lab/guest/protocol.ts';
import { parseLine, typeFields } from '@syndrome/lab/guest/wire.ts';
import { PICTURE_NAMES, PICTURES, VERSION_FILE } from '../scripts/picture-list.ts';
import { rooms } from '../scripts/rooms.ts';
import { calledIn, faultOf } from './commands-in.ts';
import { runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const ROOT = join(import.meta.dirname, '..');
const texts = new Map(
  ['README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: ROOT })].map(file => [
    file,
    readFileSync(join(ROOT, file), 'utf8'),
  ]),
);
const textOf = (file: string): string => texts.get(file) ?? '';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox.remove());

// The first of them loads the program, which takes long on a busy machine.
describe('commands that are shown', { timeout: 180_000 }, () => {
  // What needs neither a pipe nor a file of the reader's.
  const called = /^(?:\$ )?syndrome ((?:de|en)code|predict) (.*)$/;
  const lines = [...texts]
    // The recipes of this one are for a copy of the sources.
    .flatMap(([file, text]) => (file === 'docs/adding.md' ? [] : text.split('\n')))
    .flatMap(line => called.exec(line) ?? [])
    .filter(line => called.test(line))
    .map(line => line.replace(/^(?:\$ )?syndrome /, '').replace(/ +#.*$/, ''))
    .filter(line => !/\.(?:log|cper|db|tar)\b/.test(line));

  test('hold commands that need no machine', () => {
    expect(lines.length).toBeGreaterThanOrEqual(6);
  });

  test.each([...new Set(lines)])('syndrome %s', async line => {
    const { code, stdout, stderr } = await runInside(sandbox.env, line.split(' '));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toBe('');
  });

  // `…` stands for what is left out: lines, or the rest of one.
  const shown = [...texts.values()].flatMap(text => [
    ...text.matchAll(/^```\n\$ syndrome (decode .*)\n([^`]+)^```$/gm),
  ]);
  test.each(shown.map(m => [m[1] ?? '', m[2] ?? ''] as const))(
    'the output of syndrome %s is shown',
    async (line, block) => {
      const { stdout } = await runInside(sandbox.env, line.split(' '));
      const real = stdout.split('\n');
      let at = 0;
      let [leftOut, cut] = [false, false];
      for (const wanted of block.trimEnd().split('\n')) {
        if (wanted === '…') {
          leftOut = true;
          continue;
        }
        const begin = wanted.replace(/ …$/, '');
        const is = (l: string): boolean => (begin === wanted ? l === wanted : l.startsWith(begin));
        // Of a line that is cut the next ones go on with it.
        const last = leftOut
          ? real.length
          : cut
            ? real.findIndex((l, i) => i > at && /^ {2}\S|^\S/.test(l)) + 1
            : at + 1;
        const found = real.findIndex((l, i) => i >= at && i < last && is(l));
        expect(found, `${wanted}, behind ${real[at - 1] ?? 'the command'}`).toBeGreaterThanOrEqual(at);
        at = found + 1;
        [leftOut, cut] = [false, begin !== wanted];
      }
      // What is left out at the end is said too.
      expect(leftOut || cut || real.slice(at).every(line => line === ''), block).toBe(true);
    },
  );

  test('show outputs of decode', () => {
    expect(shown.length).toBeGreaterThanOrEqual(2);
  });
});

describe('every command that is shown is one of the program, with options that it has', () => {
  // Recipes add commands and files of their own.
  const blocks = [...texts].flatMap(([file, text]) =>
    file === 'docs/adding.md'
      ? []
      : [...text.matchAll(/^```(?:sh|console|bash)?\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.split('\n')),
  );
  // Where some lines have a prompt the others are what was printed.
  const lines = blocks.flatMap(block => {
    const typed = block.filter(line => line.startsWith('$ '));
    return typed.length > 0 ? typed : block;
  });
  const called = lines.flatMap(calledIn).filter(words => !words.includes('…'));
  test('there are some', () => {
    expect(called.length).toBeGreaterThan(40);
  });
  test.each(
    [...new Set(called.map(words => words.join(' ')))].map(
      line => [line, called.find(words => words.join(' ') === line) ?? []] as const,
    ),
  )('syndrome %s', (_, words) => {
    expect(faultOf(words)).toBeUndefined();
  });
});

test('the README is one screen and a half', () => {
  expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(90);
});

/** The name that a page gives a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

test.each([...texts])('links of %s lead somewhere', (file, text) => {
  const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^https?:/.test(link)) return [];
    const [path = '', fragment] = link.split('#');
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(join(ROOT, target))) return [link];
    const headings = [...textOf(target).matchAll(/^#+ (.*)$/gm)].map(m => anchor(m[1] ?? ''));
    return fragment === undefined || headings.includes(fragment) ? [] : [link];
  });
  expect(dead).toEqual([]);
});

test('the pictures are those that the script takes, and each is shown', () => {
  const made = PICTURE_NAMES.map(name => `${name}.png`).toSorted();
  expect(readdirSync(join(ROOT, 'docs/pictures')).toSorted()).toEqual([VERSION_FILE, ...made].toSorted());
  const shown = [...texts.values()].flatMap(text =>
    [...text.matchAll(/\]\((?:docs\/)?pictures\/([^)]+)\)/g)].map(m => m[1] ?? ''),
  );
  expect([...new Set(shown)].toSorted()).toEqual(made);
  // From a fresh clone: all that they are of is in the repository.
  for (const { files = [] } of PICTURES) for (const file of files) expect(existsSync(file), file).toBe(true);
  expect(PICTURES.flatMap(({ files = [] }) => files).length).toBeGreaterThan(10);
});

test('docs/architecture.md names every room', () => {
  const named = [...textOf('docs/architecture.md').matchAll(/^\| (`[^|]*) \|/gm)].flatMap(m => m[1]?.split(', ') ?? []);
  expect(named.map(n => n.replaceAll('`', ''))).toEqual(expect.arrayContaining(Object.keys(rooms)));
});

describe('docs/agent-wire.md', () => {
  const doc = textOf('docs/agent-wire.md');
  const lines = /^```transcript\n([^`]+)^```$/m.exec(doc)?.[1]?.trimEnd().split('\n') ?? [];

  test('shows a run of which every line is one of the wire', () => {
    const asked = new Map<number, keyof typeof agentCommands>();
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      const text = line.slice(2);
      if (line.startsWith('> ')) {
        const [id, command = '', ...args] = text.split(' ');
        expect(Object.keys(agentCommands), line).toContain(command);
        const known = agentCommands[command as keyof typeof agentCommands];
        asked.set(Number(id), command as keyof typeof agentCommands);
        for (const arg of args)
          expect([...known.args, ...known.optional, 'timeout-ms'], line).toContain(arg.split('=')[0]);
        continue;
      }
      const parsed = parseLine(text);
      if (parsed?.kind !== 'ok' && parsed?.kind !== 'event') throw new Error(`no line of the agent: ${line}`);
      const command = parsed.kind === 'ok' ? asked.get(parsed.id) : undefined;
      const required =
        parsed.kind === 'event' ? requiredEventFields(parsed.name) : agentCommands[command ?? 'sync'].reply;
      expect(required, line).toBeDefined();
      expect(typeFields(parsed.fields, required ?? []).wrong, line).toBeUndefined();
    }
  });

  test('lists every command with its arguments', () => {
    const table = doc.slice(doc.indexOf('## Commands'), doc.indexOf('| event |'));
    const rows = [...table.matchAll(/^\| `([a-z-]+)` \| ([^|]*)\|/gm)].map(([, name = '', args = '']) => [
      name,
      [...args.matchAll(/`([a-z]+)`/g)].map(m => m[1]),
    ]);
    const told = Object.fromEntries(rows.filter(([name]) => Object.hasOwn(agentCommands, String(name))));
    const all = Object.entries(agentCommands).map(([name, c]) => [name, [...c.args, ...c.optional]]);
    expect(told).toEqual(Object.fromEntries(all));
  });
});

describe('docs/decode-api.md', { timeout: 180_000 }, () => {
  const examples = [
    ...textOf('docs/decode-api.md').matchAll(/^```ts\n([\s\S]*?)^```$\n\n```output\n([\s\S]*?)^```$/gm),
  ].map(([, code = '', output = ''], i) => [i + 1, code, output] as const);

  test('has examples, each with its output', () => {
    expect(examples.length).toBeGreaterThanOrEqual(5);
    expect(textOf('docs/decode-api.md').match(/^```ts$/gm)).toHaveLength(examples.length);
  });

  test.each(examples)('example %i prints what is shown', (i, code, output) => {
    // A module beside the installed packages, as a user's is.
    const folder = join(sandbox.dir, `example-${i}`);
    mkdirSync(folder);
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    // Nothing is built here: its published name stands for the source of its entry.
    const here = code.replaceAll("'syndrome-decode'", "'@syndrome/decode/index.ts'");
    writeFileSync(join(folder, 'example.ts'), here);
    const printed = execFileSync(process.execPath, ['example.ts'], { cwd: folder, encoding: 'utf8', timeout: 120_000 });
    expect(printed).toBe(output);
  });
});

test('every playbook that a notice names is there', () => {
  const named = globSync('packages/supervisor/src/core/*.ts', { cwd: ROOT })
    .filter(file => !file.endsWith('.test.ts'))
    .flatMap(file => [...readFileSync(join(ROOT, file), 'utf8').matchAll(/'([a-z-]+\.md)'/g)].map(m => m[1] ?? ''));
  expect(new Set(named).size).toBeGreaterThanOrEqual(5);
  expect(named.filter(file => !existsSync(join(ROOT, 'docs/playbooks', file)))).toEqual([]);
});
