/** @module The time line of an incident, as a run: what is drawn of a trace is drawn of it. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { type Layer, LAYERS, TRACE_VERSION, type TraceEvent } from '@syndrome/trace/event.ts';
import type { Explanation } from '@syndrome/supervisor/client/types.ts';
import { openRun, type Run } from '../run.ts';

interface Moment {
  at: number;
  layer: Layer;
  words: string;
  /** It is a stop that only a person ends. */
  held: boolean;
}

const HELD: Run['judgement']['expectations'][number] = {
  expectation: '',
  status: 'fail',
  evidence: [],
  nearest: [],
} as never;

/** The layer of a witness `source event`: that which its event names. */
const layerOf = (event: string): Layer => LAYERS.find(layer => event.startsWith(`${layer}.`)) ?? 'host';

function momentsOf({ incident, decisions }: Explanation): Moment[] {
  const witnesses = 'witnesses' in incident ? Object.entries(incident.witnesses) : [];
  return [
    ...witnesses.flatMap(([what, { count, first, last }]): Moment[] => {
      const event = what.slice(what.indexOf(' ') + 1);
      const seen = { layer: layerOf(event), held: false };
      const again = { ...seen, at: last, words: `${what}, ${count} times` };
      return [{ ...seen, at: first, words: what }, ...(last > first ? [again] : [])];
    }),
    ...decisions.map(
      ({ at, rule, rung, why }): Moment => ({
        at,
        layer: 'lab',
        words: `${rung} (${rule}): ${why}`,
        held: rung === 'hold',
      }),
    ),
  ].toSorted((a, b) => a.at - b.at);
}

/**
 * An incident as a run: its witnesses in the lanes of their layers, and what was decided in that of the controller. Zero is its first
 * moment; times are those of the clocks of hosts and controller.
 * @returns undefined where nothing has a time
 */
export function incidentRun(explained: Explanation): Run | undefined {
  const moments = momentsOf(explained);
  const [first] = moments;
  if (first === undefined) return undefined;
  const events = moments.map(
    ({ at, layer }, i): TraceEvent =>
      ({ type: 'event', seq: i + 1, t: (at - first.at) * 1e6, layer, source: 'events' }) as TraceEvent,
  );
  const used = new Set(moments.map(({ layer }) => layer));
  const lanes = [
    ...LAYERS.filter(layer => layer !== 'lab' && used.has(layer)),
    ...(used.has('lab') ? (['lab'] as const) : []),
  ];
  const header = {
    type: 'trace' as const,
    version: TRACE_VERSION,
    tool: '',
    scenario: safeText(explained.incident.id, 80),
    startedAt: new Date(first.at).toISOString(),
    layers: lanes,
    expect: [],
    settle: 0,
    parts: {},
  };
  const run = openRun({ header, events, diagnostics: [] } as unknown as Run['trace'], header.scenario);
  return {
    ...run,
    zero: 0,
    told: Int32Array.from(events.keys()),
    lanes,
    injection: 0,
    words: moments.map(({ words }) => safeText(words, 1000)),
    laneNames: { lab: 'controller' },
    // Drawn as an expectation that failed: it is what a person has to end.
    judgement: { ...run.judgement, expectations: [HELD] },
    decides: new Map(moments.flatMap(({ held }, i) => (held ? [[i + 1, [0]] as const] : []))),
    way: [...moments.keys()].filter(i => i === 0 || moments[i]?.layer !== moments[i - 1]?.layer),
  };
}
