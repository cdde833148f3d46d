/** @module What `syndrome fleet` prints for a person: tables of what the controller answers, and the story of an incident. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Style } from '@syndrome/trace/style.ts';
import type { Effect } from '@syndrome/supervisor/core/input.ts';

type Row = Readonly<Record<string, unknown>>;
type Cell = (row: Row) => string;

/** Answers come from a controller of the same user; names and reasons in them come from VMs and hosts. */
const text = (value: unknown, most = 60): string => {
  if (value === undefined || value === null) return '';
  return safeText(typeof value === 'string' ? value : JSON.stringify(value), most);
};
const list = (value: unknown): Row[] => (Array.isArray(value) ? (value as Row[]) : []);
const time = (value: unknown): string => (Number.isFinite(value) ? new Date(Number(value)).toISOString() : '');
const bytes = (value: unknown): string => (Number(value) > 0 ? `${(Number(value) / 2 ** 30).toFixed(1)} GiB` : '');
const yes = (value: unknown, word: string): string => (value === true ? word : '');

const copies = (row: Row): string =>
  list(row['copies'])
    .map(
      c => `${text(c['host'])}/${text(c['epoch'])} ${c['proof'] === undefined ? text(c['state']) : 'proven stopped'}`,
    )
    .join(', ');
const moveOf = ({ move }: Row): string => {
  if (typeof move !== 'object' || move === null) return '';
  const { rung, step, rule } = move as Row;
  return `${text(rung)}: ${text(step)} (${text(rule)})`;
};

/** Of a page: those that a witness has named; else the only one that was told of an error at about that time. */
function vmsOf({ vms = [], claims = [] }: Row): string {
  const [named, claimed] = [vms, claims] as [unknown[], unknown[]];
  const of = named.length === 0 && claimed.length === 1 ? claimed : named;
  return of.map(vm => text(vm, 36)).join(', ');
}

/** How far a host's clock is off. A row may be late for other reasons, and none comes before it was written. */
function clock(behindMs: number): string {
  const seconds = Math.round(Math.abs(behindMs) / 1000);
  if (!(seconds >= 2)) return '';
  return behindMs < 0 ? `${seconds} s ahead` : `at most ${seconds} s behind`;
}

/** The columns of each list: a head, and what stands below it. */
const COLUMNS: Readonly<Record<string, readonly (readonly [head: string, cell: Cell])[]>> = {
  hosts: [
    ['HOST', r => text(r['id'])],
    ['AGENT', r => (r['connected'] === true ? 'here' : 'SILENT')],
    ['SINCE', r => time(r['since'])],
    ['STATE', r => [yes(r['draining'] !== undefined, 'draining'), text(r['suspect'])].filter(w => w !== '').join(', ')],
    ['PAGES', r => text(r['pages'])],
    ['NOT APPLIED', r => text(r['notApplied'])],
    ['CLOCK', r => clock(Number(r['behind']))],
    ['UNSEEN', r => text((r['unseen'] as Row | undefined)?.['count'])],
    ['FREE', r => bytes(r['freeBytes'])],
    ['KERNEL', r => text(r['kernel'], 30)],
  ],
  vms: [
    ['VM', r => text(r['id'], 36)],
    ['NAME', r => text(r['name'], 24)],
    ['COPIES (host/epoch)', copies],
    ['OPTED IN', r => yes(r['optedIn'], 'yes')],
    ['ACT', moveOf],
  ],
  pages: [
    ['HOST', r => text(r['host'])],
    ['PAGE', r => text(r['pfn'] ?? r['key'], 40)],
    ['GUEST ADDRESS', r => text(r['gpa'])],
    ['VM', vmsOf],
    ['LOST', r => `${2 ** Number(r['order']) / 1024} KiB`],
    ['SEEN', r => text(r['hits'])],
    ['LAST', r => time(r['last'])],
    ['STATE', r => (r['repaired'] === true ? 'repaired' : r['applied'] === true ? 'out of use' : 'unapplied')],
  ],
  incidents: [
    ['INCIDENT', r => text(r['id'])],
    ['STATE', r => text(r['state'])],
    ['CAUSE', r => text(r['cause'])],
    ['HOST', r => text(r['host'])],
    ['PAGE', r => text(r['page'], 40)],
    ['VM', r => text(r['vm'], 36)],
    ['LAST', r => time(r['last'])],
    ['THEN', r => text(r['consequence'])],
  ],
  actions: [
    ['ACTION', r => text(r['id'], 48)],
    ['KIND', r => text(r['kind'])],
    ['HOST', r => text(r['host'])],
    ['VM', r => text(r['vm'], 36)],
    ['STATE', r => text(r['state'])],
    ['REASON', r => text(r['reason'], 80)],
  ],
  outbox: [
    ['NOTICE', r => text(r['id'], 60)],
    ['TARGET', r => text(r['target'])],
    ['TRIES', r => text(r['attempts'])],
    ['DUE', r => time(r['due'])],
    ['LAST ERROR', r => text(r['error'], 80)],
  ],
};

function table(columns: readonly (readonly [string, Cell])[], rows: readonly Row[], style: Style): string[] {
  const cells = rows.map(row => columns.map(([, cell]) => cell(row)));
  // A column without a word in it tells nothing.
  const kept = columns.flatMap((_, i) => (cells.some(row => row[i] !== '') ? [i] : []));
  const width = (i: number): number => Math.max(columns[i]?.[0].length ?? 0, ...cells.map(row => row[i]?.length ?? 0));
  const line = (words: readonly string[]): string =>
    kept
      .map(i => (words[i] ?? '').padEnd(width(i)))
      .join('  ')
      .trimEnd();
  return [style('bold', line(columns.map(([head]) => head))), ...cells.map(line)];
}

/** The lines of a list of the controller. */
export function listLines(name: string, result: unknown, style: Style): string[] {
  const columns = COLUMNS[name];
  if (columns === undefined) return statusLines((result ?? {}) as Row, style);
  const rows = list(result);
  return rows.length === 0 ? [`no ${name}`] : table(columns, rows, style);
}

/** Who has set the policy, and since when it counts. */
function setBy(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const { by, at } = value as Row;
  return `, set by ${text(by)} ${time(at)}`;
}

/** Who has paused the fleet, since when, and why. */
function pausedBy(value: unknown): string {
  if (typeof value !== 'object' || value === null) return text(value, 200);
  const { by, at, reason } = value as Row;
  const why = text(reason, 200);
  return `by ${text(by)} since ${time(at)}${why === '' ? '' : `: ${why}`}`;
}

function statusLines(s: Row, style: Style): string[] {
  const alerts = Array.isArray(s['alerts']) ? s['alerts'] : [];
  const bad = (word: string): string => style('red', word);
  return [
    `policy     ${text(s['policy'])}, mode ${text(s['mode'])}${setBy(s['policyBy'])}`,
    ...(s['sitePolicyInForce'] === false
      ? [
          style(
            'yellow',
            `           not the one that the file of the site names, ${text(s['sitePolicy'])}: that comes into force when the file changes, or by \`syndrome fleet policy set\``,
          ),
        ]
      : []),
    ...(s['paused'] === undefined ? [] : [bad(`paused     ${pausedBy(s['paused'])}`)]),
    ...(s['breakerOpen'] === true ? [bad('breaker    open: a storm of errors; nothing is acted on')] : []),
    `agents     ${text(s['connected'])} of ${text(s['hosts'])} connected`,
    `VMs        ${text(s['vms'])}, acted on: ${text((s['moving'] as unknown[] | undefined)?.length ?? 0)}`,
    `incidents  ${text(s['openIncidents'])} open`,
    ...(Array.isArray(s['weak']) ? s['weak'] : []).map(w => style('yellow', `weak       ${text(w, 400)}`)),
    ...(Array.isArray(s['unserved']) ? (s['unserved'] as Row[]) : []).map(u =>
      style(
        'yellow',
        `notices    ${text(u['waiting'])} wait for ${text(u['target'])}, which \`notify:\` of the site names no more`,
      ),
    ),
    alerts.length === 0 ? 'alerts     none' : bad(`alerts     ${alerts.map(a => text(a)).join(', ')}`),
  ];
}

/** What was decided, or would be, in order. */
export function effectLines(effects: readonly Effect[], style: Style): string[] {
  if (effects.length === 0) return ['nothing is decided'];
  return effects.map(e => {
    if (e.effect === 'decision')
      return `${style('bold', text(e.decision.rung))}  ${text(e.decision.why, 500)}  ${style('dim', text(e.decision.rule))}`;
    if (e.effect === 'act')
      return `  act     ${e.act.kind} ${text(e.act.vm ?? '')} on ${text(e.act.host)}, epoch ${e.act.epoch}`;
    return `  notice  ${e.notice.type}: ${text(e.notice.summary, 300)}`;
  });
}

/** A host or a VM as it is now. */
function subjectLines(host: Row | undefined, vm: Row | undefined, style: Style): string[] {
  const lines: string[] = [];
  if (host !== undefined) {
    const { draining, sources, unseen } = host as { draining?: Row; sources?: Record<string, Row>; unseen?: Row };
    const reads = Object.entries(sources ?? {}).map(([name, { state }]) => `${text(name)} ${text(state)}`);
    lines.push(
      `${style('bold', text(host['id']))}  host  agent ${host['connected'] === true ? 'here' : 'SILENT'} since ${time(host['since'])}`,
      ...(draining === undefined ? [] : [`  drains since ${time(draining['at'])}: ${text(draining['by'])}`]),
      ...(host['suspect'] === undefined ? [] : [`  its own memory is suspect: ${text(host['suspect'])}`]),
      `  pages      ${text(host['pages'])} in the ledger, ${text(host['notApplied'])} unapplied, ${text(unseen?.['count'] ?? 0)} errors that nobody has told`,
      `  sources    ${reads.join(', ') || 'none has said anything'}`,
    );
  }
  if (vm !== undefined)
    lines.push(
      `${style('bold', text(vm['id']))}  VM ${text(vm['name'])}  ${vm['optedIn'] === true ? 'opted in' : 'observed only'}`,
      `  copies     ${copies(vm)}`,
      ...(vm['move'] === undefined ? [] : [`  act        ${moveOf(vm)}`]),
    );
  return lines;
}

/** Everything about an incident, or about a host or a VM, in the order in which it happened. */
export function explainLines(result: unknown, style: Style): string[] {
  const { incident, guestKernel, decisions, acts, notices, host, vm } = (result ?? {}) as Record<string, unknown>;
  const i = (incident ?? {}) as Row;
  const witnesses = Object.entries(
    (i['witnesses'] ?? {}) as Record<string, { count: number; first: number; last: number }>,
  );
  const story = [
    ...witnesses.map(([who, { count, first, last }]) => ({
      at: first,
      line: `seen      ${text(who)}${count > 1 ? `, ${count} times, last ${time(last)}` : ''}`,
    })),
    ...list(decisions).map(d => ({
      at: Number(d['at']),
      line: `${style('bold', text(d['rung']).padEnd(9))} ${text(d['why'], 500)}\n${' '.repeat(36)}${style('dim', `rule ${text(d['rule'])}, policy ${text(d['policy'])}, ${text(d['inputs'], 300)}`)}`,
    })),
    ...list(notices).map(n => {
      const body = n['body'] as Row;
      const done =
        n['state'] === 'waiting'
          ? `waits, ${text(n['attempts'])} tries`
          : `${text(n['state'])}${n['done'] === null ? '' : ` ${time(n['done'])}`}`;
      return {
        at: Number(body['at']),
        line: `told      ${text(n['target'])}: ${text(body['summary'], 300)} (${done})`,
      };
    }),
  ].toSorted((a, b) => a.at - b.at);
  const remarks = Array.isArray(i['remarks']) ? i['remarks'] : [];
  return [
    ...(incident === undefined ? subjectLines(host as Row | undefined, vm as Row | undefined, style) : []),
    ...(incident === undefined
      ? []
      : [
          `${style('bold', text(i['id']))}  ${text(i['state'])}  ${[
            i['cause'],
            i['host'],
            i['vm'],
            i['page'],
            i['consequence'],
          ]
            .map(v => text(v))
            .filter(w => w !== '')
            .join('  ')}`,
        ]),
    ...(guestKernel === undefined ? [] : [`  the guest says that it is Linux ${text(guestKernel, 100)}`]),
    ...remarks.map(r => `  ${text(r, 300)}`),
    ...story.flatMap(({ at, line }) => `${time(at)}  ${line}`.split('\n')),
    ...list(acts).map(
      a =>
        `act       ${text(a['kind'])} on ${text(a['host'])}: ${text(a['state'])}${text(a['reason']) === '' ? '' : `, ${text(a['reason'], 200)}`}  ${style('dim', text(a['id'], 80))}`,
    ),
  ];
}
