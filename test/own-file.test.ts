/** What is known of a step, a kind of machine or a VMM stands in the file of its name: elsewhere only the registry names it. */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import { machineKinds } from '@syndrome/lab/machines/registry.ts';
import { stepKinds } from '@syndrome/lab/steps/registry.ts';
import { VMMS } from '@syndrome/lab/vmms/registry.ts';
import { targetOf } from '../scripts/imports.ts';

const ROOT = join(import.meta.dirname, '..');
const LAB = 'packages/lab/src';

/** The names, by the folder that has a file for each. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  steps: stepKinds.map(kind => kind.name),
  machines: machineKinds().map(kind => kind.name),
  vmms: Object.values(VMMS).map(vmm => vmm.name),
};

/** Places where a word is the name of something else: what it is there. A word that is no longer there has to leave its row. */
const OTHERS: readonly (readonly [where: RegExp, words: string, what: string])[] = [
  [/^(?:packages|scripts)\//, 'reset', 'an outcome, an order, an event of QEMU'],
  [/^packages\/decode\/src\//, 'hmp qmp qemu mcelog note poison quarantine', 'arrivals, forms, items, codes, events'],
  [/^packages\/(?:decode\/src\/inject|lab\/src\/(?:kernel-options|outlook))/, 'boot-record', 'a way of an injection'],
  [/^packages\/decode\/src\/inject\//, 'write-file write-msr xen-mceinj', 'ways of an injection'],
  [/^packages\/decode\/src\/mca\/lint-codes\.ts$/, 'xen-mceinj', 'a tool that makes records'],
  [/^packages\/lab\/src\/supply\/xen-tools\.ts$/, 'xen-mceinj xen-hptool', 'programs of a package'],
  [/^packages\/trace\/src\//, 'qmp hmp qemu', 'where a line of a trace is from; a part of a machine'],
  [/^packages\/qemu\/src\//, 'pause resume gpa2hpa qemu', 'what QMP, HMP and libvirt call by these words'],
  [/^packages\/vmm\/src\//, 'quarantine', 'a request to the reference VMM, and an option of it'],
  [
    /^packages\/supervisor\/src\//,
    'pause resume quarantine qmp qemu reference exec',
    'orders, rungs, sources, VMMs of a fleet',
  ],
  [/^packages\/cli\/src\/(?:fleet-commands|watch|predict)\.ts$/, 'pause resume qmp qemu', 'orders to a site; sources'],
  [/^packages\/cli\/src\/drill\//, 'map spawn on-signal qmp', 'requests to the agent in a guest; a source'],
  [/^scripts\/bench-agent\.ts$/, 'map spawn on-signal', 'requests to the agent in a guest'],
  [
    /^scripts\/differential\/rasdaemon\/guest\.ts$/,
    'check-interval exec linux-guest',
    'requests to the agent; the kind of machine that it boots',
  ],
  [/^packages\/cli\/src\/audit-commands\.ts$/, 'verify', 'a command'],
  [/^packages\/cli\/src\/many-commands\.ts$/, 'map', 'a command'],
  [/^packages\/cli\/src\/program\.ts$/, 'inject-mce qemu', 'examples for people; a part with versions on offer'],
  [/^packages\/cli\/src\/part-options\.ts$/, 'qemu', 'a part that a matrix varies'],
  [
    /^packages\/lab\/src\/guest\/protocol\.ts$/,
    'check-interval on-signal system-call run-vm',
    'requests to the agent in a guest',
  ],
  [/^packages\/lab\/src\/(?:start|crash-kernel|domu|steps\/dom0-tool)\.ts$/, 'exec', 'a request to the agent'],
  [/^packages\/lab\/src\/steps\/map\.ts$/, 'translate', 'a request to the agent'],
  [/^packages\/lab\/src\/steps\/cxl-unmask\.ts$/, 'map', 'how the agent reads a register'],
  [/^packages\/lab\/src\/steps\/inject-cxl\.ts$/, 'cxl-region', 'a word to people about another step'],
  [/^packages\/lab\/src\/steps\/(?:deed|read-vmcore)\.ts$/, 'note', 'what becomes of a refusal'],
  [/^packages\/lab\/src\/repro\//, 'qmp', 'a line to the machine'],
  [/^packages\/cli\/src\/progress\.ts$/, 'verify', 'a phase of a download'],
  [
    /^packages\/lab\/src\/(?:session|tape|machine\/channels|vmms\/(?:vmm|qemu-base))\.ts$/,
    'qmp hmp mcelog',
    'channels, sources',
  ],
  [/^packages\/lab\/src\/supply\//, 'wait verify qemu', 'phases of a download, and a part that is fetched'],
  [/^packages\/lab\/src\/(?:parts|machines\/[\w-]+)\.ts$/, 'qemu', 'a part of a machine'],
  [/^packages\/lab\/src\/(?:steps|outlook)\/[\w-]+\.ts$/, 'qemu', 'a consumer of records'],
  [
    /^packages\/lab\/src\/sweep\/hunt\/genome\.ts$/,
    'on-signal check-interval inject-mce pause resume linux-guest',
    'the scenarios that a hunt writes',
  ],
  [/^packages\/lab\/src\/host-local\.ts$/, 'gpa2hpa', 'a monitor command'],
  [/^packages\/lab\/src\/poison-record\.ts$/, 'host-poison', 'a folder of the state'],
  [/^scripts\/fuzz\/growth\/parsers\.ts$/, 'inject-mce gpa2hpa', 'the text of a scenario, a monitor command'],
  [/^scripts\//, 'qmp qemu mcelog note poison quarantine', 'rooms, forms and words of the wires that are tried'],
];

/** Sources that are no tests: of the packages, and of what works on them. */
const sources = globSync(['packages/*/src/**/*.ts', 'scripts/**/*.{ts,mjs}'], { cwd: ROOT })
  .map(file => file.split(sep).join('/'))
  .filter(file => !/\.test\.ts$|\/testing\//.test(file))
  .toSorted();

const COMMENT_OR_TEXT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
const texts = (source: string): string[] =>
  [...source.matchAll(COMMENT_OR_TEXT)].map(([text]) => text).filter(text => !/^\/[/*]/.test(text));

/** Whether a source names it: a plain word as a whole text, one that is no word of English anywhere in one. */
function names(source: string, name: string): boolean {
  const anywhere = new RegExp(`(?<![\\w/-])${name}(?![\\w.-])`);
  return texts(source).some(text => (/[-\d]/.test(name) ? anywhere.test(text) : text.slice(1, -1) === name));
}

const contents = new Map(sources.map(file => [file, readFileSync(join(ROOT, file), 'utf8')]));

/** The sources that name it, besides its own file and the registry. */
function namedIn(folder: string, name: string): string[] {
  const own = [`${LAB}/${folder}/${name}.ts`, `${LAB}/${folder}/registry.ts`];
  return sources.filter(file => !own.includes(file) && names(contents.get(file) ?? '', name));
}

const all = Object.entries(NAMES).flatMap(([folder, list]) => list.map(name => [folder, name] as const));

test.each(all)('%s: %s is named in its own file and in the registry only', (folder, name) => {
  const other = OTHERS.filter(([, words]) => words.split(' ').includes(name));
  expect(namedIn(folder, name).filter(file => !other.some(([where]) => where.test(file)))).toEqual([]);
});

test.each(OTHERS)('in %s still stands each of: %s', (where, words) => {
  for (const word of words.split(' ')) {
    const [folder = ''] = all.find(([, name]) => name === word) ?? [];
    expect(
      namedIn(folder, word).some(file => where.test(file)),
      word,
    ).toBe(true);
  }
});

test('no other file imports what is in one of theirs; only a kind of machine says which VMM it has', () => {
  const files = new Set(all.map(([folder, name]) => `${LAB}/${folder}/${name}.ts`));
  const registries = Object.keys(NAMES).map(folder => `${LAB}/${folder}/registry.ts`);
  const importers = sources.filter(file => {
    const imported = (contents.get(file) ?? '').matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g);
    return [...imported].some(([, a, b]) => files.has(targetOf(file, a ?? b ?? '') ?? ''));
  });
  expect(importers.toSorted()).toEqual(registries.toSorted());
  const choosing = sources.filter(file => /\bVMMS\b/.test(contents.get(file) ?? ''));
  const kinds = NAMES['machines']?.map(name => `${LAB}/machines/${name}.ts`) ?? [];
  expect(choosing.filter(file => !kinds.includes(file))).toEqual([`${LAB}/vmms/registry.ts`]);
});

test.each([
  ["if (step === 'pause') stop();", 'pause', true],
  ['const names = new Set(["inject-mce"]);', 'inject-mce', true],
  ['say(`after the step inject-mce of ${file}`);', 'inject-mce', true],
  ["// the step 'pause'\nrun();", 'pause', false],
  ["import { pause } from './pause.ts';", 'pause', false],
  ["import { injectMce } from './inject-mce.ts';", 'inject-mce', false],
  ["say('nothing to pause');", 'pause', false],
] as const)('%s names %s: %s', (source, name, expected) => {
  expect(names(source, name)).toBe(expected);
});
