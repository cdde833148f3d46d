import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { TraceError } from './errors.ts';
import { type Layer, LAYERS, TRACE_VERSION, type TraceHeader } from './event.ts';
import { checkPatterns, MAX_EXPECTATIONS, parseExpectation } from './expect/expectation.ts';
import { type Line, modernizer, READS } from './modernize.ts';
import { NAME, wordOf } from './names.ts';
import { parseLine } from './parse-event.ts';

/** The first line of a trace as JSON, with the version it was written in. */
function rawHeader(line: string | undefined, file: string): { raw: Line; version: number } {
  const raw = parseLine(line ?? '');
  const version = raw?.type === 'trace' ? raw.version : undefined;
  if (raw === undefined || typeof version !== 'number') {
    throw new TraceError(
      'E_LAB_TRACE_FORMAT',
      `${file} is not a Syndrome trace: its first line is not a trace header`,
      { hint: 'A trace is the .ndjson file that `syndrome run` names at its end.' },
    );
  }
  if (!Number.isInteger(version) || version < 1) {
    throw new TraceError('E_LAB_TRACE_FORMAT', `${file} says that it is a trace of version ${version}; there is none`);
  }
  if (version > TRACE_VERSION) {
    const tool = wordOf(raw.tool).slice(0, 60);
    const by = tool === '' ? '' : `, written by ${tool}`;
    throw new TraceError(
      'E_LAB_TRACE_VERSION',
      `${file} is a trace of version ${version}${by}; this program reads ${READS}`,
      { hint: 'Use a newer Syndrome to read it: each reads all versions up to its own.' },
    );
  }
  return { raw, version };
}

/** The layers that a header names, each once; events of others are read all the same. */
function layersOf(value: unknown): Layer[] {
  const named: unknown[] = Array.isArray(value) ? value : [];
  return LAYERS.filter(layer => named.includes(layer)).toSorted((a, b) => named.indexOf(a) - named.indexOf(b));
}

/** More steps than any scenario has. */
const MAX_STATES = 10_000;

/** The identities that a header names; nothing where one of them is none. */
function identityOf(value: unknown): TraceHeader['identity'] {
  const { run, states } = (value ?? {}) as { run?: unknown; states?: unknown };
  const isOne = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{32}$/.test(text);
  if (!isOne(run) || !Array.isArray(states) || states.length > MAX_STATES || !states.every(isOne)) return undefined;
  return { run, states };
}

/**
 * Reads the first line of a trace of any version.
 * @returns the header in the newest form, and the version that the trace was written in
 * @throws TraceError E_LAB_TRACE_FORMAT when it is not a trace, E_LAB_TRACE_VERSION when it is newer than this program
 * @example readHeader('{"type":"trace","version":1,"scenario":"x"}', 'x.ndjson').header.layers // ['lab', 'vmm', 'guest', 'process']
 */
export function readHeader(line: string | undefined, file: string): { header: TraceHeader; version: number } {
  const { raw, version } = rawHeader(line, file);
  const {
    tool,
    scenario,
    startedAt,
    layers,
    expect: expected,
    outcome,
    settle,
    parts,
    identity: named,
  } = modernizer(version).header(raw);
  const expect: string[] = Array.isArray(expected) ? expected.map(wordOf) : [];
  if (expect.length > MAX_EXPECTATIONS) {
    const count = `${expect.length} expectations; a trace has at most ${MAX_EXPECTATIONS}`;
    throw new TraceError('E_LAB_TRACE_FORMAT', `${file}: its header has ${count}`);
  }
  try {
    checkPatterns(expect.map(parseExpectation));
  } catch (error) {
    if (!(error instanceof SyndromeError)) throw error;
    throw new TraceError('E_LAB_TRACE_FORMAT', `${file}: the expectations in the header are not taken`, {
      cause: error,
    });
  }
  const all = Object.entries(typeof parts === 'object' && parts !== null ? parts : {});
  const identity = identityOf(named);
  const header: TraceHeader = {
    type: 'trace',
    version: TRACE_VERSION,
    tool: wordOf(tool),
    scenario: wordOf(scenario),
    startedAt: wordOf(startedAt),
    layers: layersOf(layers),
    expect,
    ...(outcome === undefined ? {} : { outcome: wordOf(outcome) }),
    settle: typeof settle === 'number' && settle >= 0 && Number.isFinite(settle) ? settle : 0,
    parts: Object.fromEntries(all.filter(([key]) => NAME.test(key)).map(([key, value]) => [key, wordOf(value)])),
    ...(identity === undefined ? {} : { identity }),
  };
  return { header, version };
}

/**
 * Whether a text is a trace, by how it begins: all of them do with the member `type`.
 * @param head its first 200 characters or more
 */
export const isTraceText = (head: string): boolean => /^\s*\{\s*"type"\s*:\s*"trace"/.test(head);
