/**
 * The rule that state belongs to objects: what stands at the top of a module of a pure room is never written once the
 * module is loaded, so that two decoders, two runs, or two turns of a controller cannot meet in it.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { NO_CODE, blank } from './imports.ts';
import { SOURCES, roomOf, rooms } from './rooms.ts';
import type { Violation } from './imports.ts';

const DECLARED = /^(?:export )?(let|var|const) ([\w$]+)/;
/** What fills a table while its module is loaded. */
const FILLS = /^(?:for|if|while|\{|[\w$]+(?:\[|\.))/;
/** Regular expressions that remember where they stopped. */
const STICKY = /^(?:export )?const ([\w$]+)[^=\n]*= (?:\/.*\/[a-z]*[gy][a-z]*|new RegExp\(.*'[a-z]*[gy][a-z]*'\));$/gm;
const STATIC = /^\s+static (?!\{|readonly |async |get |set |[\w$#]+[<(])[\w$#]+/gm;
const CREATED = /^(?:export )?const ([\w$]+)[^=\n]*= new ([A-Z][\w$]*)/gm;

/** Classes of which a constant may be one: they hold nothing that changes, or writes to them are found by their methods. */
const HARMLESS: ReadonlySet<string> = new Set([
  'Map',
  'Set',
  'Int8Array',
  'Uint8Array',
  'Uint32Array',
  'TextDecoder',
  'TextEncoder',
  'Error',
  'RegExp',
  // Filled by its constructor alone.
  'NeedleSet',
]);

const escapeName = (name: string): string => name.replaceAll('$', '\\$');

/** What writes to a value that has this name. */
const writesTo = (name: string): RegExp =>
  new RegExp(
    `(?<![\\w$.#])${escapeName(name)}(?:(?:\\[[^\\]]*\\]|\\.[\\w$]+)*(?:\\[[^\\]]*\\]|\\.[\\w$]+)\\s*(?:[-+*/|&^%?]{0,2}|<<|>>>?)=(?![=>])|(?:\\[[^\\]]*\\]|\\.[\\w$]+)+(?:\\+\\+|--)|\\.(?:set|add|delete|clear|push|pop|shift|unshift|splice|fill|sort|reverse|copyWithin)\\()|Object\\.assign\\(\\s*${escapeName(name)}\\b`,
    'g',
  );

/** The statements at the top of a module, with the place of each. */
function topOf(code: string): { text: string; at: number }[] {
  const starts = [...code.matchAll(/^[^\s})\]]/gm)].map(m => m.index);
  return starts.map((at, i) => ({ text: code.slice(at, starts[i + 1]), at }));
}

/** Where a source keeps state in its module; `file` is relative to the repository, with `/`. */
export function checkModuleState(file: string, source: string): Violation[] {
  if (file.endsWith('.test.ts') || file.includes('/testing/')) return [];
  const code = source.replace(NO_CODE, blank);
  const found: Violation[] = [];
  const bad = (at: number, specifier: string, reason: string): void => {
    found.push({ file, line: code.slice(0, at).split('\n').length, specifier: specifier.trim(), reason });
  };
  const top = topOf(code);
  for (const { text, at } of top) {
    const [, how, name] = DECLARED.exec(text) ?? [];
    if (how === undefined || name === undefined) continue;
    if (how !== 'const') bad(at, `${how} ${name}`, 'a variable of a module is state: put it into an object');
    for (const other of top) {
      // Also where it is made, in a function that is its value.
      if (FILLS.test(other.text) && !DECLARED.test(other.text)) continue;
      for (const m of other.text.matchAll(writesTo(name))) {
        bad(other.at + m.index, m[0], `${name} belongs to the module, and is written when it is used`);
      }
    }
  }
  for (const m of code.matchAll(STATIC)) bad(m.index, m[0], 'a static member is state of the module: make it readonly');
  for (const { index, 1: name = '', 2: made = '' } of code.matchAll(CREATED)) {
    if (!HARMLESS.has(made)) bad(index, `new ${made}`, `${name} is one object for all: let each owner make its own`);
  }
  // The flags may stand in a string, which is no code.
  for (const { 1: name = '' } of source.matchAll(STICKY)) {
    for (const m of code.matchAll(new RegExp(`(?<![\\w$.])${escapeName(name)}\\.(?:exec|test)\\(`, 'g'))) {
      bad(m.index, m[0], `${name} remembers where it stopped: make a copy for each use`);
    }
  }
  return found;
}

/** Whether the rule holds in a room: the table of rooms says so. */
function keepsNoState(room: string | undefined): boolean {
  const rule = room === undefined ? undefined : rooms[room];
  return rule?.pure === true || rule?.stateless === true;
}

/** The sources that the rule holds for; relative to the repository, with `/`. */
export function statelessSources(root: string): string[] {
  return globSync(SOURCES, { cwd: root })
    .map(file => file.split(sep).join('/'))
    .filter(file => keepsNoState(roomOf(file)))
    .toSorted();
}

/** Checks every source of the rooms that keep no state. */
export function checkAllModuleState(root: string): Violation[] {
  return statelessSources(root).flatMap(file => checkModuleState(file, readFileSync(join(root, file), 'utf8')));
}
