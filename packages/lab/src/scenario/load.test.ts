import { Ajv2020 } from 'ajv/dist/2020.js';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { bundledScenarios, findScenario, findScenarios, narrowed, parseScenarios, SCENARIO_DIR } from './load.ts';
import { ScenarioError } from './faults.ts';
import { scenarioJsonSchema } from './schema.ts';

const GOOD = `name: my-case
title: A case
about: what
why: because
sources: [SDM]
machine: { kind: linux-guest }
steps:
  - spawn: { process: victim }
  - map: { process: victim, as: page }
  - inject-mce: { record: srao, addr: $page, status: 0xbd000000000000c1 }
expect:
  - within 5s: process.signal addr=$page.virt
outcome: signalled
`;

test('a scenario is read with its defaults, and a 64-bit number stays exact', () => {
  const s = parseScenarios(GOOD, 'my.yaml')[0];
  expect(s.machine).toMatchObject({ kind: 'linux-guest', cpu: 'Skylake-Server', memory: 256 });
  expect(s.steps[2]).toMatchObject({ step: 'inject-mce', args: { status: '0xbd000000000000c1', broadcast: false } });
});

describe('an error names file, line and column and what was expected', () => {
  test.each<[string, [string, string], string]>([
    ['unknown key', ['title: A case', 'titel: A case'], 'my.yaml:2:1: unknown key "titel"'],
    ['wrong machine', ['kind: linux-guest', 'kind: linux'], 'my.yaml:6:18: machine.kind: invalid'],
    ['unknown step', ['- spawn: {', '- spwan: {'], 'my.yaml:8:5: there is no step "spwan"'],
    ['a step named like a method', ['- spawn: {', '- constructor: {'], 'my.yaml:8:5: there is no step "constructor"'],
    ['a step named like the prototype', ['- spawn: {', '- __proto__: {'], 'my.yaml:8:'],
    ['unknown step key', ['as: page }', 'at: page }'], 'my.yaml:9:'],
    ['unknown record', ['record: srao', 'record: sroa'], 'my.yaml:10:27: there is no record "sroa"'],
    ['unsaved value', ['addr: $page,', 'addr: $pge,'], 'my.yaml:10:39: $pge is not saved by an earlier step'],
    ['unknown event', ['process.signal', 'process.singal'], 'my.yaml:12:16: no event has the name "process.singal"'],
    ['unsaved value in an expectation', ['$page.virt', '$other'], 'my.yaml:12:16: $other is not saved'],
    ['bad time', ['within 5s', 'within 5'], 'my.yaml:12:5: "within 5" is not a kind of expectation'],
    [
      'patterns too large together',
      ['addr=$page.virt', 'proc~(a?b?a?b?){48}a proc~(a?b?a?b?){48}b proc~(a?b?a?b?){48}c'],
      'my.yaml:12:3: the patterns of all expectations together have 1158 states; at most 1000 are taken',
    ],
    ['bad outcome', ['outcome: signalled', 'outcome: fine'], 'my.yaml:13:10: outcome: invalid'],
    [
      'too large a number',
      ['0xbd000000000000c1', '0x1bd000000000000c1'],
      'my.yaml:10:54: 0x1bd000000000000c1 does not fit in 64 bits',
    ],
    ['no YAML', ['[SDM]', '[SDM'], 'my.yaml:6:'],
    ['an empty file', [GOOD, ''], 'my.yaml:1:1: the file is empty'],
    [
      'a field that the event does not have',
      ['signal addr=', 'signal adr='],
      'my.yaml:12:16: process.signal has no field "adr"',
    ],
    [
      'an unknown process',
      ['map: { process: victim', 'map: { process: vicitm'],
      'my.yaml:9:21: no earlier step has made the process "vicitm"',
    ],
    [
      'a value saved twice',
      ['  - inject-mce', '  - map: { process: victim, as: page }\n  - inject-mce'],
      'my.yaml:10:33: $page is saved by an earlier step already',
    ],
    ['a key given twice', ['about: what', 'about: what\nname: b'], 'my.yaml:4:1: the key "name" is given twice'],
    [
      'a key given twice in one line',
      ['addr: $page,', 'addr: $page, record: ce,'],
      'my.yaml:10:46: the key "record" is given twice',
    ],
    [
      'aliases in bulk',
      ['sources: [SDM]', `sources: [&s SDM${', *s'.repeat(21)}]`],
      'my.yaml:5:99: more than 20 aliases',
    ],
    ['what is nested deeply', ['sources: [SDM]', `sources: ${'['.repeat(99)}`], 'my.yaml:6:1: Flow sequence in block'],
    [
      'what is nested deeply and well',
      ['sources: [SDM]', `sources: ${'['.repeat(200)}${']'.repeat(200)}`],
      'my.yaml:5:108: nested too deeply for a scenario',
    ],
    [
      'what fills the stack of the parser',
      ['{ process: victim, as: page }', `{${' process:'.repeat(20_000)} }`],
      'my.yaml:1:1: nested too deeply for a scenario',
    ],
    [
      'what fills the stack',
      ['sources: [SDM]', `sources: ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
      'nested too deeply for a scenario',
    ],
    ['an alias without an anchor', ['title: A case', 'title: *nothing'], 'my.yaml:'],
    [
      'a decimal number that would be rounded',
      ['addr: $page', 'addr: 9007199254740993'],
      'my.yaml:10:39: 9007199254740993 is too large a decimal number',
    ],
    [
      'a time longer than a day',
      ['within 5s', 'within 99999m'],
      'my.yaml:12:5: "within 99999m" is not a kind of expectation',
    ],
  ])('%s', (_name, [from, to], message) => {
    let thrown: unknown;
    try {
      parseScenarios(GOOD.replace(from, to), 'my.yaml');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect((thrown as Error).message).toContain(message.replace(/ $/, ''));
  });
  test('also one of very many keys, each of which is looked at once', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join('');
    expect(() => parseScenarios(`${GOOD}${keys}k7: 2\n`, 'my.yaml')[0]).toThrow(
      'my.yaml:20014:1: the key "k7" is given twice',
    );
  });
  const thrownBy = (text: string): ScenarioError => {
    try {
      parseScenarios(text, 'my.yaml');
    } catch (error) {
      if (error instanceof ScenarioError) return error;
      throw error;
    }
    throw new Error('no fault was found');
  };

  test('also when there are five, all of them in the order of the file', () => {
    const five = GOOD.replace('title: A case', 'titel: A case')
      .replace('kind: linux-guest', 'kind: linux-guest, cpus: 99')
      .replace('- spawn', '- spwan')
      .replace('record: srao', 'record: sroa')
      .replace('process.signal', 'process.singal')
      .replace('signalled', 'fine');
    const error = thrownBy(five);
    expect(error.message.split('\n')).toEqual([
      'my.yaml:2:1: unknown key "titel"',
      expect.stringMatching(/^my\.yaml:6:37: machine\.cpus: too big/) as string,
      'my.yaml:8:5: there is no step "spwan"',
      '  Did you mean "spawn"?',
      'my.yaml:10:27: there is no record "sroa"',
      expect.stringMatching(/^ {2}Did you mean "sra[or]/) as string,
      'my.yaml:12:16: no event has the name "process.singal"',
      '  Did you mean "process.signal"?',
      expect.stringContaining('my.yaml:13:10: outcome: invalid') as string,
    ]);
    expect([error.hint, error.line, error.column]).toEqual([undefined, 2, 1]);
    expect(error.faults.map(f => f.line)).toEqual([2, 6, 8, 10, 12, 13]);
  });

  test('and no fault twice: what a wrong step would have made is not missed behind it', () => {
    for (const [from, to] of [
      ['- spawn: {', '- spwan: {'],
      ['as: page }', 'as: page, pages: none }'],
      ['addr: $page,', 'addr: 9007199254740993,'],
      ['title: A case', 'titel: A case'],
    ] as const) {
      expect(thrownBy(GOOD.replace(from, to)).faults).toHaveLength(1);
    }
  });

  test('also faults of the syntax, where there are several', () => {
    const wrong = GOOD.replace('title: A case', 'title: *a').replace('about: what', 'about: *b');
    expect(thrownBy(wrong).faults.map(f => f.line)).toEqual([2, 3]);
    const numbers = GOOD.replace('addr: $page', 'addr: 9007199254740993').replace(
      'outcome: signalled',
      'outcome: fine',
    );
    expect(thrownBy(numbers).faults.map(f => f.line)).toEqual([10, 13]);
    const keys = GOOD.replace('about: what', 'about: what\nname: b\nwhy: c');
    expect(thrownBy(keys).faults.map(f => f.message)).toEqual([
      'the key "name" is given twice',
      'the key "why" is given twice',
    ]);
  });

  test('a bounded number of them, and says how many more there are', () => {
    const steps = '  - spwan: { process: victim }\n'.repeat(3000);
    const { message, faults } = thrownBy(GOOD.replace('  - spawn', `${steps}  - spawn`));
    const lines = message.split('\n');
    expect([lines.length, lines.at(-1), faults.length]).toEqual([41, 'and 2980 more of them', 1000]);
  });

  test('of several files together, of each some, and of names that are none', () => {
    const dir = mkdtempSync(join(tmpdir(), 'scenarios-'));
    try {
      const write = (name: string, text: string): string => {
        writeFileSync(join(dir, name), text);
        return join(dir, name);
      };
      const messageOf = (...names: string[]): string => {
        try {
          findScenarios(names);
        } catch (error) {
          if (error instanceof UsageError) return `${error.message} [${error.code}]`;
          throw error;
        }
        return '';
      };
      const a = write('a.yaml', GOOD.replace('title: A case', 'titel: A case'));
      const b = write('b.yaml', GOOD.replace('record: srao', 'record: sroa'));
      const good = write('good.yaml', GOOD);
      const gone = join(dir, 'gone.yaml');
      expect(findScenarios([good, 'xen-ce', good]).map(s => s.name)).toEqual(['my-case', 'xen-ce', 'my-case']);
      expect(messageOf(a, good, b, a).split('\n')).toEqual([
        `${a}:2:1: unknown key "titel"`,
        `${b}:10:27: there is no record "sroa"`,
        expect.stringMatching(/^ {2}Did you mean "sra[or]"\? \[E_SCENARIO\]$/),
      ]);
      expect(messageOf(gone, 'xen-cee', a).split('\n')).toEqual([
        expect.stringMatching(/gone\.yaml cannot be read: .*ENOENT/),
        'there is no scenario "xen-cee"',
        '  Did you mean "xen-ce"?',
        `${a}:2:1: unknown key "titel" [E_SCENARIO]`,
      ]);
      const many = write(
        'many.yaml',
        GOOD.replace('  - spawn', `${'  - spwan: { process: victim }\n'.repeat(3000)}  - spawn`),
      );
      const lines = messageOf(many, b, a).split('\n');
      expect(lines.filter(l => l.startsWith(many))).toHaveLength(18);
      expect(lines.slice(-4)).toEqual([
        `${b}:10:27: there is no record "sroa"`,
        expect.stringContaining('Did you mean'),
        `${a}:2:1: unknown key "titel"`,
        'and 2982 more of them [E_SCENARIO]',
      ]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('and suggests the nearest word', () => {
    expect(() => parseScenarios(GOOD.replace('spawn', 'spwan'), 'x')[0]).toThrow(
      expect.objectContaining({ hint: 'Did you mean "spawn"?' }),
    );
    expect(() => findScenario('xen-cee')).toThrow(expect.objectContaining({ hint: 'Did you mean "xen-ce"?' }));
  });
});

describe('the scenarios that come with the program', () => {
  const required = [
    'amd-uc-plain',
    'arm64-ghes-memory',
    'intel-ce-logged',
    'intel-srao-process',
    'intel-srar-process',
    'intel-uc-fatal',
    'mce-while-mcip',
    'xen-ce',
    'xen-uc-fatal',
  ];
  test('are all there, under the name of their file', () => {
    const found = bundledScenarios();
    expect(found.map(s => s.name)).toEqual(expect.arrayContaining(required));
    for (const s of found) expect(s.file.endsWith(`/${s.variant?.of ?? s.name}.yaml`)).toBe(true);
  });
  test('agree with the published schema, which also refuses what the loader refuses', () => {
    const schema = scenarioJsonSchema();
    const published: unknown = JSON.parse(readFileSync(join(SCENARIO_DIR, 'scenario.schema.json'), 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(schema)));
    const validate = new Ajv2020({ strict: false }).compile(schema);
    for (const s of bundledScenarios()) {
      // Hex beyond 2^53 is a string for the loader; the schema sees what an editor's YAML parser sees.
      const value: unknown = parse(readFileSync(s.file, 'utf8'));
      expect(validate(value) ? [] : validate.errors).toEqual([]);
    }
    expect(validate(parse(GOOD))).toBe(true);
    expect(validate(parse(GOOD.replace('spawn', 'spwan')))).toBe(false);
    expect(validate(parse(GOOD.replace('titel', 'x').replace('title', 'titel')))).toBe(false);
  });
});

describe('a file with parameters', () => {
  const text = (params: string, more = ''): string => GOOD.replace(/^steps:/m, `params:\n${params}\n${more}steps:`);
  const variants = (params: string, more?: string): string[] =>
    parseScenarios(text(params, more), 'f.yaml').map(({ name }) => name);

  test('stands for one scenario each', () => {
    const { name } = parseScenarios(GOOD, 'f.yaml')[0];
    expect(variants('  kill: [early, late]\n  n: { a: {}, b: {} }', 'except: [{ kill: late, n: b }]\n')).toEqual([
      `${name}.early.a`,
      `${name}.early.b`,
      `${name}.late.a`,
    ]);
  });
  test('may leave open which of several outcomes it has', () => {
    const open = GOOD.replace(/^outcome:.*$/m, 'outcome: [none, hung]');
    expect(parseScenarios(open, 'f.yaml').map(({ outcome }) => outcome)).toEqual(['none or hung']);
  });
  test('has its values in steps, expectations and outcome', () => {
    const one = GOOD.replace(/^outcome:.*$/m, 'outcome: ${end}').replace(
      /^steps:/m,
      'params: { end: [logged, reset] }\nsteps:',
    );
    expect(parseScenarios(one, 'f.yaml').map(({ outcome }) => outcome)).toEqual(['logged', 'reset']);
    expect(parseScenarios(one, 'f.yaml')[1]?.variant?.point).toEqual({ end: 'reset' });
  });
  test.each([
    ['  kill: [early, early]', '', 'kill has the value early already'],
    ['  kill: [early]', 'except: [{ kil: early }]\n', 'there is no parameter "kil"'],
    ['  kill: [early]', 'except: [{ kill: late }]\n', 'kill has no value late'],
    ['  kill: [early]', 'except: [{ kill: early }]\n', 'nothing is left of the parameters'],
    [
      `  a: [${Array.from({ length: 40 }, (_, i) => i).join()}]\n  b: [${Array.from({ length: 40 }, (_, i) => i).join()}]`,
      '',
      'these are 1600 combinations',
    ],
  ])('%s %s: %s', (params, more, message) => {
    expect(() => variants(params, more)).toThrow(message);
  });
  test('tells what is wrong at its place, once, and what refers to nothing', () => {
    const wrong = GOOD.replace(/^outcome:.*$/m, 'outcome: ${end}').replace(
      /^steps:/m,
      'params: { page: [a, b] }\nsteps:',
    );
    expect(() => parseScenarios(wrong, 'f.yaml')).toThrow(/^f\.yaml:\d+:\d+: there is no parameter "end"/m);
  });
  test('is narrowed by parameters', () => {
    const all = findScenarios(['page-kinds']);
    expect(all.length).toBeGreaterThan(5);
    expect(narrowed(all, new Map([['page', ['thp', 'anon']]])).map(({ name }) => name)).toEqual([
      'page-kinds.anon',
      'page-kinds.thp',
    ]);
    expect(() => narrowed(all, new Map([['page', ['tph']]]))).toThrow('has no value "tph"');
    expect(() => narrowed(all, new Map([['pages', ['thp']]]))).toThrow('no chosen scenario has the parameter "pages"');
    expect(() => findScenario('page-kinds')).toThrow('page-kinds stands for');
    expect(findScenario('page-kinds.thp').variant).toEqual({ of: 'page-kinds', point: { page: 'thp' } });
  });
});
