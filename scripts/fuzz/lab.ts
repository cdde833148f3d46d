/** Fuzz targets of the room `lab`: traces and their judgement, conditions, scenarios, what is put on a trace. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { parseDuration } from '@syndrome/trace/duration.ts';
import { TraceError } from '@syndrome/trace/errors.ts';
import { type Condition, matchEvent, parseCondition, references } from '@syndrome/trace/expect/condition.ts';
import { parseExpectation } from '@syndrome/trace/expect/expectation.ts';
import { judge, showValue } from '@syndrome/trace/expect/judge.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import { judgeFile, judgeTrace } from '@syndrome/trace/expect/verdict.ts';
import { parseRemembered } from '@syndrome/lab/matrix/cells.ts';
import { parseWritten } from '@syndrome/lab/poison-record.ts';
import { stepKinds } from '@syndrome/lab/steps/registry.ts';
import { SCENARIO_DIR, parseScenarios } from '@syndrome/lab/scenario/load.ts';
import { ScenarioError } from '@syndrome/lab/scenario/faults.ts';
import type { ScenarioFault } from '@syndrome/lab/scenario/faults.ts';
import { YamlFile } from '@syndrome/lab/scenario/yaml.ts';
import { Tape } from '@syndrome/lab/tape.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import { type NamedEvent, TRACE_VERSION, type TraceEvent, type TraceHeader } from '@syndrome/trace/event.ts';
import { TraceIndex } from '@syndrome/trace/trace-index.ts';
import { parseEvent, parseHeader } from '@syndrome/trace/testing/parse.ts';
import { traceOf } from '@syndrome/trace/reader.ts';
import { TraceRecorder } from '@syndrome/lab/trace/recorder.ts';
import { junitXml } from '@syndrome/lab/report/junit.ts';
import { ktap } from '@syndrome/lab/report/ktap.ts';
import { matrixText } from '@syndrome/lab/report/matrix.ts';
import { plain as plainStyle } from '@syndrome/trace/style.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { linuxEvents, vmmEvents } from '@syndrome/decode/text/event-reader.ts';
import type { Chance } from '../chance.ts';
import { anyLine } from './inputs.ts';
import { HOSTILE_KEYS, anyJson, anyText, chunks, image, spoiledJson, spoiledText, wire } from './junk.ts';
import { attempt, attemptLater, differences, standIn, textFaults } from './oracles.ts';
import type { Target } from './target.ts';

const HEADER: TraceHeader = {
  type: 'trace',
  version: TRACE_VERSION,
  tool: 'syndrome 0.1.0',
  scenario: 'amd-deferred',
  startedAt: '2026-01-01T00:00:00.000Z',
  layers: ['lab', 'vmm', 'guest', 'process'],
  expect: ['within 10s: process.signal code=BUS_MCEERR_AO addr=$page', 'never: guest.panic'],
  outcome: 'signalled',
  settle: 200_000_000,
  parts: { qemu: '10.0.2', kernel: '7.2.12' },
};

const WORDS = ['seq', 't', 'layer', 'source', 'raw', 'dir', 'name', 'fields', 'record', 'guest', 'qmp', 'code', 'addr'];

/** The names of all steps. */
const STEPS: readonly string[] = stepKinds.map(kind => kind.name);

/** Events of a run, each with fields that its name can have. */
const EVENTS: readonly { name: string; fields: Record<string, readonly FieldValue[]> }[] = [
  { name: 'lab.step', fields: { step: STEPS } },
  { name: 'lab.value', fields: { name: ['page', 'page.virt'], value: [0x1234000n, 7] } },
  { name: 'lab.injected', fields: { sent: [5, 1000], what: ['mce'] } },
  {
    name: 'process.signal',
    fields: { signal: ['SIGBUS'], code: ['BUS_MCEERR_AO', 'BUS_MCEERR_AR'], addr: [0x1234000n, 5n] },
  },
  { name: 'process.exit', fields: { status: ['signaled', 'exited'] } },
  { name: 'guest.panic', fields: { message: ['Fatal machine check', 'MCA architectural violation'] } },
  { name: 'guest.mce-record', fields: { bank: [1, 9], status: [1n << 63n] } },
  { name: 'guest.silent', fields: {} },
  { name: 'vmm.reset', fields: { reason: ['guest-reset'] } },
  { name: 'vmm.exit', fields: { expected: [true, false], code: [0, 1] } },
  {
    name: 'lab.outlook',
    fields: {
      outcome: [...OUTCOMES, 'x'],
      certainty: ['certain', 'likely'],
      rule: ['a'],
      possible: ['killed none'],
      dependsOn: ['x'],
      within: [1, 300],
    },
  },
  { name: 'lab.error', fields: { code: ['E_LAB_TIMEOUT'], message: ['too late'] } },
  { name: 'lab.skip', fields: { code: ['E_LAB_NO_KVM'], message: ['none'], hint: ['get one'] } },
  { name: 'lab.end', fields: {} },
];

function anyEvent(chance: Chance, seq: number, t: number): TraceEvent {
  const { name, fields } = chance.pick(EVENTS);
  const given = Object.entries(fields).filter(() => !chance.oneIn(5));
  return {
    seq,
    t,
    layer: 'guest',
    source: 'console',
    ...(chance.oneIn(3) ? { raw: anyText(chance) } : {}),
    name,
    fields: Object.fromEntries(given.map(([key, values]) => [key, chance.pick(values)])),
  } as TraceEvent;
}

/** A trace in the order of its clock. */
function anyTrace(chance: Chance): TraceEvent[] {
  let t = 0;
  return Array.from({ length: chance.below(14) }, (_, i) => {
    t += chance.below(3_000) * 1_000_000;
    return anyEvent(chance, i + 1, t);
  });
}

const CONDITIONS = [
  'process.signal',
  'process.signal code=BUS_MCEERR_AO addr=$page',
  'guest.panic message~"machine check"',
  'guest.panic message!=x',
  'guest.mce-record bank>=1 bank<9',
  'vmm.exit expected=false code>0',
  'process.exit status=signaled',
];
const WHENS = [
  'never',
  'within 1s',
  'within 10s',
  'count 1',
  'count >=1 within 5s',
  'count <=1',
  'count 0 within 2s',
  'count =2 within 20s',
];
const anyExpectation = (chance: Chance): string => `${chance.pick(WHENS)}: ${chance.pick(CONDITIONS)}`;

function eventFaults(event: TraceEvent): string[] {
  const wrong: string[] = [];
  for (const number of [event.seq, event.t]) if (!Number.isSafeInteger(number) || number < 0) wrong.push(`${number}`);
  for (const [key, value] of Object.entries(event.fields ?? {})) {
    if (!/^[A-Za-z][\w.-]{0,63}$/.test(key)) wrong.push(`field ${key}`);
    if (!['string', 'number', 'boolean', 'bigint'].includes(typeof value)) wrong.push(`${key} is a ${typeof value}`);
    if (typeof value === 'number' && !Number.isFinite(value)) wrong.push(`${key} is ${value}`);
  }
  const known = ['seq', 't', 'layer', 'source', 'raw', 'dir', 'name', 'fields', 'record'];
  for (const key of Object.keys(event)) if (!known.includes(key)) wrong.push(`member ${key}`);
  return wrong;
}

const TRACE_EVENT: Target = {
  name: 'lab:trace-event',
  holds: 'lines of a trace: no event, or one with exact numbers and plain fields; written and read it is the same',
  weight: 30,
  open: () => chance => {
    const good = anyEvent(chance, 1 + chance.below(99), chance.u32());
    const wrong = differences('written and read', parseEvent(wire(good)), good);
    const value = chance.oneIn(6) ? anyJson(chance, WORDS) : spoiledJson(chance, JSON.parse(wire(good)), WORDS);
    let line = JSON.stringify(value);
    if (chance.oneIn(4)) line = spoiledText(chance, line);
    if (chance.oneIn(16)) line = line.replace(/\d+/, '1e999');
    const event = parseEvent(line);
    if (event === undefined) return wrong;
    wrong.push(...eventFaults(event), ...differences('once more', parseEvent(wire(event)), event));
    return wrong;
  },
};

const TRACE_HEADER: Target = {
  name: 'lab:trace-header',
  holds:
    'first lines of a trace: a header of words and numbers, or an error of the room; written and read it is the same',
  weight: 12,
  open: () => chance => {
    const wrong = differences('written and read', parseHeader(wire(HEADER), 'f'), HEADER);
    const keys = Object.keys(HEADER);
    const good = { ...HEADER, version: 1 + chance.below(TRACE_VERSION) };
    const value = chance.oneIn(8) ? anyJson(chance, keys) : spoiledJson(chance, good, keys);
    const line = chance.oneIn(4) ? spoiledText(chance, JSON.stringify(value)) : JSON.stringify(value);
    const { value: header, wrong: thrown } = attempt(() => parseHeader(line, 'f'), [TraceError]);
    wrong.push(...thrown);
    if (header === undefined) return wrong;
    const words = [header.tool, header.scenario, header.startedAt, ...header.expect, ...Object.values(header.parts)];
    if (words.some(w => typeof w !== 'string')) wrong.push('a word that is none');
    if (!(header.settle >= 0 && Number.isFinite(header.settle))) wrong.push(`settle ${header.settle}`);
    wrong.push(...differences('once more', parseHeader(wire(header), 'f'), header));
    return wrong;
  },
};

const utf8 = new TextEncoder();

async function* decoded(pieces: readonly Uint8Array[]): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for (const piece of pieces) {
    await Promise.resolve();
    yield decoder.decode(piece, { stream: true });
  }
}

const TRACE_FILE: Target = {
  name: 'lab:trace-file',
  holds: 'whole traces in any pieces: each line an event, empty, or told with its number',
  weight: 2,
  open: () => async chance => {
    const lines = [wire(HEADER), ...anyTrace(chance).map(wire)];
    for (let n = chance.below(3); n > 0; n--) {
      const at = chance.below(lines.length);
      lines[at] = chance.oneIn(2) ? spoiledText(chance, lines[at] ?? '') : '';
    }
    const text = lines.join(chance.pick(['\n', '\r\n'])) + chance.pick(['', '\n']);
    const bytes = utf8.encode(text);
    const read = (): ReturnType<typeof attemptLater<Awaited<ReturnType<typeof traceOf>>>> =>
      attemptLater(() => traceOf(decoded(chunks(chance, bytes)), 'f'), [TraceError]);
    const [one, other] = [await read(), await read()];
    const wrong = [...one.wrong, ...differences('other pieces', image(one), image(other))];
    if (one.value === undefined) return wrong;
    const { events, diagnostics, departures } = one.value;
    if (departures.length > 100) wrong.push(`${departures.length} departures`);
    wrong.push(
      ...textFaults(
        'departure',
        departures.map(d => d.problem),
      ),
    );
    const said = text
      .split('\n')
      .slice(1)
      .filter(line => line.replace(/\r$/, '') !== '').length;
    if (events.length + diagnostics.length !== said)
      wrong.push(`${events.length} and ${diagnostics.length} of ${said} lines`);
    for (const { line } of diagnostics) if (line < 2 || line > text.split('\n').length) wrong.push(`line ${line}`);
    const { verdict } = judgeFile(one.value);
    if (diagnostics.length > 0 && (verdict === 'pass' || verdict === 'fail'))
      wrong.push(`${verdict} in spite of damage`);
    return wrong;
  },
};

const JUDGE: Target = {
  name: 'lab:judge',
  holds:
    'traces and expectations: the same verdict when they are written and read, reasons in words, evidence that is there',
  weight: 3,
  open: () => chance => {
    const events = anyTrace(chance);
    const expect = Array.from({ length: 1 + chance.below(3) }, () => anyExpectation(chance));
    const header = { ...HEADER, expect, outcome: chance.pick(OUTCOMES) };
    const judgement = judgeTrace(header, events);
    const again = events.flatMap(e => parseEvent(wire(e)) ?? []);
    const wrong = differences('written and read', judgeTrace(parseHeader(wire(header), 'f'), again), judgement);
    if (!OUTCOMES.includes(judgement.outcome)) wrong.push(`outcome ${judgement.outcome}`);
    const ended = events.some(e => e.name === 'lab.end');
    const failed = events.some(e => e.name === 'lab.error' || e.name === 'lab.skip');
    if (judgement.verdict === 'pass' && (!ended || failed)) wrong.push('a pass of a run that did not end well');
    if ((judgement.verdict === 'error' || judgement.verdict === 'skip') && judgement.problem === undefined)
      wrong.push('no reason');
    const { code = 'E_', message = '', hint = '' } = judgement.problem ?? {};
    wrong.push(...textFaults('problem', [code, message, hint]));
    for (const { kind, status, evidence, nearest, reason } of judgement.expectations) {
      const open = kind === 'within' || kind === 'outcome' || kind === 'outlook';
      if (open && status === 'fail' && !ended) wrong.push(`${kind}: a failure of a run that went on`);
      if (kind === 'outcome' && status === 'pass' && !ended) wrong.push('the outcome of a run that went on');
      if (status === 'fail' && judgement.verdict === 'pass') wrong.push('a pass with something failed');
      if (evidence.length > 5 || nearest.length > 5) wrong.push('too much evidence');
      if ([...evidence, ...nearest].some(seq => events[seq - 1]?.seq !== seq)) wrong.push('evidence that is not there');
      wrong.push(...textFaults('reason', [reason]));
    }
    return wrong;
  },
};

const MONOTONE: Target = {
  name: 'lab:judge-growing',
  holds: 'a trace that grows after its injection: what is decided stays decided, and the end decides all',
  weight: 10,
  open: () => chance => {
    const expectation = parseExpectation(anyExpectation(chance));
    const value = {
      seq: 1,
      t: 0,
      layer: 'lab',
      source: 'lab',
      name: 'lab.value',
      fields: { name: 'page', value: 0x1234000n },
    };
    const index = new TraceIndex([value as TraceEvent]);
    index.add({ seq: 2, t: 1000, layer: 'lab', source: 'lab', name: 'lab.injected', fields: {} });
    const wrong: string[] = [];
    let decided: string | undefined;
    for (const event of anyTrace(chance)) {
      // What a condition refers to is saved before the injection.
      if (event.name === 'lab.value') continue;
      index.add({ ...event, t: event.t + 1000 });
      const now = event.t + 1000;
      const { status } = judge(expectation, index, now, false);
      if (decided !== undefined && status !== decided) wrong.push(`${expectation.text}: ${decided}, then ${status}`);
      if (status !== 'pending') decided = status;
      const end = judge(expectation, index, now, true).status;
      if (end !== 'pass' && end !== 'fail') wrong.push('the end decides nothing');
      if (decided !== undefined && end !== decided) wrong.push(`${expectation.text}: ${decided}, at the end ${end}`);
    }
    return wrong;
  },
};

/** A condition as a scenario would write it. */
const written = ({ name, terms }: Condition): string =>
  [name, ...terms.map(t => `${t.field}${t.operator}"${t.operand.replace(/["\\]/g, '\\$&')}"`)].join(' ');

const plain = ({ name, terms }: Condition): unknown => [name, terms.map(t => [t.field, t.operator, t.operand])];

const CONDITION: Target = {
  name: 'lab:condition',
  holds:
    'conditions and expectations: parsed, or a usage error; written and parsed the same; a field is one of the event, = is not !=',
  weight: 16,
  open: () => chance => {
    const text = spoiledText(chance, chance.pick(CONDITIONS), CONDITIONS);
    const { value: condition, wrong, error } = attempt(() => parseCondition(text), [UsageError]);
    if (error instanceof UsageError && error.code !== 'E_EXPECT_SYNTAX') wrong.push(`code ${error.code}`);
    const when = chance.oneIn(2) ? chance.pick(WHENS) : spoiledText(chance, chance.pick(WHENS), WHENS);
    const whole = attempt(() => parseExpectation(`${when}: ${chance.pick(CONDITIONS)}`), [UsageError]);
    wrong.push(...whole.wrong);
    if (whole.value?.kind === 'count' && !Number.isSafeInteger(whole.value.count))
      wrong.push(`count ${whole.value.count}`);
    const ns = parseDuration(anyText(chance) + chance.pick(['s', 'ms', 'm', '']));
    if (ns !== undefined && !(ns >= 0 && ns <= 86_400e9)) wrong.push(`${ns} ns`);
    if (condition === undefined) return wrong;
    wrong.push(...differences('written and parsed', plain(parseCondition(written(condition))), plain(condition)));
    if (references(condition).length > condition.terms.length) wrong.push('references');
    const values = new Map<string, FieldValue>([['page', 0x1234000n]]);
    const event = { ...anyEvent(chance, 1, 1), name: condition.name } as NamedEvent;
    const { ok, differences: found } = matchEvent(condition, event, values, showValue);
    if (ok !== (found.length === 0)) wrong.push('differences of what matches');
    const field = chance.pick([...HOSTILE_KEYS.filter(k => k !== '__proto__'), 'code', 'bank']);
    const value = chance.pick(['x', '1', '0x10', 'BUS_MCEERR_AO', '-1', '1.5']);
    const one = (operator: '=' | '!='): boolean => {
      const terms = [{ field, operator, operand: value }];
      return matchEvent({ name: event.name, terms }, event, values, showValue).ok;
    };
    const there = Object.hasOwn(event.fields ?? {}, field);
    if (there ? one('=') === one('!=') : one('=') || one('!=')) wrong.push(`${field} = and != ${value}`);
    return wrong;
  },
};

const SCENARIOS = readdirSync(SCENARIO_DIR)
  .filter(f => f.endsWith('.yaml'))
  .toSorted()
  .map(f => readFileSync(join(SCENARIO_DIR, f), 'utf8'));
const SCENARIO_DATA = SCENARIOS.map(text => parse(text) as unknown);
const SCENARIO_WORDS = [
  'steps',
  'expect',
  'machine',
  'kind',
  'name',
  'as',
  'process',
  'page',
  'for',
  '$page',
  ...STEPS,
];

/** Runs a parser that may only say what it has to say by its error: nothing on stderr. */
function quietly<T>(run: () => T): { value: T | undefined; wrong: string[] } {
  const said: string[] = [];
  const restore = standIn(process, 'emitWarning', (warning: string | Error) => said.push(String(warning)));
  try {
    const { value, wrong } = attempt(run, [ScenarioError]);
    return { value, wrong: [...wrong, ...said.map(s => `a warning: ${s}`)] };
  } finally {
    restore();
  }
}

const SCENARIO: Target = {
  name: 'lab:scenario',
  holds: 'spoiled scenarios: checked, or told with a line and column that are there; twice the same',
  weight: 1,
  open: () => chance => {
    const text = chance.oneIn(2)
      ? spoiledText(chance, chance.pick(SCENARIOS), SCENARIOS)
      : JSON.stringify(spoiledJson(chance, chance.pick(SCENARIO_DATA), SCENARIO_WORDS), null, 1);
    const places: string[] = [];
    const { value, wrong } = quietly(() => {
      try {
        return parseScenarios(text, 'f.yaml')[0];
      } catch (error) {
        if (error instanceof ScenarioError) {
          const lines = text.split(/\r\n|\n|\r/);
          for (const { line, column } of error.faults) {
            if (line < 1 || line > lines.length || column < 1) places.push(`${line}:${column}`);
          }
        }
        throw error;
      }
    });
    wrong.push(...places);
    return value === undefined ? wrong : [...wrong, ...differences('twice', parseScenarios(text, 'f.yaml')[0], value)];
  },
};

const YAML_PIECES = [
  'a',
  'b: ',
  '- ',
  '\n',
  '  ',
  '{',
  '}',
  '[',
  ']',
  ', ',
  '&x ',
  '*x',
  '!!int ',
  '!!binary ',
  '? ',
  ': ',
  '| ',
  '>-\n',
  '"',
  "'",
  '#',
  '---\n',
  '...\n',
  '%YAML 1.2\n',
  '<<: ',
  '~',
  '0x',
  '1',
  'é',
  '\t',
  '__proto__: ',
  '!!set ',
  '!!timestamp ',
];

function faultsOf(yaml: YamlFile): readonly ScenarioFault[] {
  try {
    yaml.faults.check();
    return [];
  } catch (error) {
    if (error instanceof ScenarioError) return error.faults;
    throw error;
  }
}

const YAML: Target = {
  name: 'lab:yaml',
  holds: 'any YAML: a value whose integers are exact, or an error at a place that is there; nothing on stderr',
  weight: 3,
  open: () => chance => {
    const text = Array.from({ length: chance.below(20) }, () => chance.pick(YAML_PIECES)).join('');
    const { value: yaml, wrong } = quietly(() => new YamlFile(text, 'f'));
    if (yaml !== undefined) {
      const path = Array.from({ length: chance.below(4) }, () =>
        chance.pick<PropertyKey>(['a', 'b', 0, 1, '__proto__', '']),
      );
      yaml.fault(path, 'x', undefined, chance.pick(['key', 'value']));
      const faults = faultsOf(yaml);
      if (faults.length === 0) wrong.push('a fault is not told');
      for (const { line, column } of faults) {
        if (line < 1 || column < 1 || line > text.split('\n').length) wrong.push(`${line}:${column}`);
      }
    }
    const number = chance.oneIn(2) ? chance.u64() : BigInt(chance.u32());
    const digits = chance.oneIn(2) ? `0x${number.toString(16)}` : String(number);
    const exact = quietly(() => {
      const file = new YamlFile(`a: ${digits}`, 'f');
      file.faults.check();
      return file;
    });
    if (exact.value === undefined) {
      if (digits.startsWith('0x') || number <= BigInt(Number.MAX_SAFE_INTEGER)) wrong.push(`${digits} is refused`);
    } else {
      const got = (exact.value.value as { a: number | string }).a;
      if (parseU64(String(got)) !== number) wrong.push(`${digits} is ${got}`);
    }
    return wrong;
  },
};

const VMM_EVENTS = [
  { event: 'arm-sea', vcpu: 0, el: 0, esr: '0x0000000096000010', gpa: { valid: true, value: '0x0000000040000000' } },
  { event: 'stopped', reason: 'threshold', errors: 4, pages: 4 },
  { event: 'started', vcpus: 1, sea: { enabled: true, capability: 'yes' }, ms: 7 },
];
const VMM_WORDS = ['event', 'gpa', 'valid', 'value', 'sea', 'enabled', 'reason', 'constructor', 'stopped'];

const TAPE: Target = {
  name: 'lab:tape',
  holds: 'consoles, monitors and QMP on one trace: every line that is written is read again as it was',
  weight: 16,
  open: () => {
    const tape = new Tape(new TraceRecorder(HEADER));
    const line = tape.lines('guest', 'console', linuxEvents());
    const vmm = tape.lines('vmm', 'events', vmmEvents());
    const qmp = tape.qmp('vmm', event => event);
    const { events } = tape.recorder;
    return chance => {
      const before = events.length;
      switch (chance.below(4)) {
        case 0:
          line(anyLine(chance));
          break;
        case 2: {
          const text = JSON.stringify(spoiledJson(chance, chance.pick(VMM_EVENTS), VMM_WORDS));
          vmm(chance.oneIn(16) ? text.replace(/\d+/, '1e999') : text);
          break;
        }
        case 1:
          tape.hmp(anyLine(chance));
          break;
        default: {
          const message = { event: chance.pick(['STOP', 'MEMORY_FAILURE', anyText(chance)]), data: anyJson(chance) };
          qmp({ t: 1n, direction: 'receive', message, raw: anyText(chance) });
        }
      }
      return events.slice(before).flatMap(event => {
        const again = parseEvent(wire(event));
        if (again === undefined) return [`not read again: ${wire(event)}`];
        return differences('read again', wire(again), wire(event));
      });
    };
  },
};

const RESULT = {
  schemaVersion: 1,
  scenario: 's',
  title: 'S',
  verdict: 'fail',
  outcome: 'logged',
  seconds: 1.5,
  expectations: [
    { expectation: 'never: guest.panic', kind: 'never', status: 'fail', evidence: [3], nearest: [], reason: 'seen' },
  ],
  causes: [{ id: 'a', text: 'b', history: 'c' }],
  problem: { code: 'E_LAB_TIMEOUT', message: 'too late', hint: 'sooner' },
  trace: 't.ndjson',
  parts: { qemu: '10.0.2' },
  phases: { ready: 1, injected: 2 },
  restored: true,
  restarts: 0,
};

/** Without colours. */
const LOOK = { style: plainStyle, width: 100 };

const REMEMBERED: Target = {
  name: 'lab:remembered',
  holds: 'what an interrupted matrix has found out, damaged: nothing, or a result that every report can print',
  weight: 4,
  open: () => chance => {
    const good = { identity: 'i', result: RESULT };
    const wrong = differences('read', parseRemembered(wire(good)), good);
    const words = [...Object.keys(RESULT), 'pass', 'logged'];
    const line = wire(chance.oneIn(8) ? anyJson(chance, words) : spoiledJson(chance, good, words));
    const found = parseRemembered(chance.oneIn(4) ? spoiledText(chance, line) : line);
    if (found === undefined) return wrong;
    const { result } = found;
    const lines = [
      ...verdictLines('s', result, undefined, LOOK),
      ...matrixText({ axis: 'kernel', cells: [{ cell: {}, result }] }, LOOK),
      ...`${junitXml([result])}\n${ktap([result])}`.split('\n'),
    ];
    // Words of the line itself may be anything.
    if (textFaults('', [line]).length === 0) wrong.push(...textFaults('report', lines));
    return wrong;
  },
};

const FRAMES = { owner: { pid: 5, start: '7', boot: 'b', namespace: 'pid:[1]' }, frames: ['0x1234', '0x7'] };

const POISON: Target = {
  name: 'lab:poison',
  holds: 'notes of poisoned frames: none, or an owner and 64-bit frames, each of which was written',
  weight: 16,
  open: () => chance => {
    const wrong = differences('read', parseWritten(JSON.stringify(FRAMES)), { ...FRAMES, frames: [0x1234n, 7n] });
    const words = ['owner', 'frames', 'pid', 'start', '0x5'];
    const value = chance.oneIn(8) ? anyJson(chance, words) : spoiledJson(chance, FRAMES, words);
    const text = chance.oneIn(4) ? spoiledText(chance, JSON.stringify(value)) : JSON.stringify(value);
    const read = parseWritten(text);
    if (read === undefined) return wrong;
    if (typeof read.owner.boot !== 'string' || !Number.isSafeInteger(read.owner.pid)) wrong.push('no owner');
    const said = (JSON.parse(text) as { frames: unknown[] }).frames.filter(f => typeof f === 'string');
    wrong.push(
      ...differences(
        'frames',
        read.frames,
        said.map(parseU64).filter(f => f !== undefined),
      ),
    );
    return wrong;
  },
};

export const LAB: readonly Target[] = [
  TRACE_EVENT,
  TRACE_HEADER,
  TRACE_FILE,
  JUDGE,
  MONOTONE,
  CONDITION,
  SCENARIO,
  YAML,
  TAPE,
  POISON,
  REMEMBERED,
];
