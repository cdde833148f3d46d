/**
 * `npm run coverage [-- room… --gaps --json]`: which lines, branches and functions of the pure rooms the fast tests reach.
 * Without names all pure rooms are measured. `--gaps` lists every branch and function that no test takes. A room may be
 * reached by the tests of another one: all fast tests run whatever was asked for. It measures; it forbids nothing.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { runChild } from './child.mjs';
import { commandLine, wrongCommandLine } from './command-line.ts';
import { roomOf, rooms as allRooms } from './rooms.ts';

const ROOT = join(import.meta.dirname, '..');
const PURE = Object.keys(allRooms).filter(room => allRooms[room]?.pure === true);

interface Place {
  start: { line?: number };
}
/** One file of vitest's `json` coverage report (the form of Istanbul). */
interface FileCoverage {
  path: string;
  statementMap: Record<string, Place>;
  s: Record<string, number>;
  branchMap: Record<string, { type: string; loc: Place; locations: Place[] }>;
  b: Record<string, number[]>;
  fnMap: Record<string, { name: string; loc: Place }>;
  f: Record<string, number>;
}

type Kind = 'lines' | 'branches' | 'functions';
type Counts = Record<Kind, { covered: number; total: number }>;
interface Gap {
  file: string;
  line: number;
  what: string;
}

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: { gaps: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const rooms = positionals.length === 0 ? PURE : positionals;
const unknown = rooms.find(room => !Object.hasOwn(allRooms, room));
if (unknown !== undefined) wrongCommandLine(`no room ${unknown}: ${Object.keys(allRooms).join(' ')}`);

const nothing = (): Counts => ({
  lines: { covered: 0, total: 0 },
  branches: { covered: 0, total: 0 },
  functions: { covered: 0, total: 0 },
});

/** Adds one file to the counts of its room and names what no test took. */
function addFile(file: FileCoverage, counts: Counts): Gap[] {
  const name = relative(ROOT, file.path);
  const gaps: Gap[] = [];
  const count = (kind: Kind, hit: boolean, line: number, what?: string): void => {
    counts[kind].total++;
    if (hit) counts[kind].covered++;
    else if (what !== undefined) gaps.push({ file: name, line, what });
  };
  const lines = new Map<number, boolean>();
  for (const [id, { start }] of Object.entries(file.statementMap)) {
    const line = start.line ?? 0;
    lines.set(line, (lines.get(line) ?? false) || (file.s[id] ?? 0) > 0);
  }
  for (const [line, hit] of lines) count('lines', hit, line);
  for (const [id, branch] of Object.entries(file.branchMap)) {
    (file.b[id] ?? []).forEach((times, i) => {
      const line = branch.locations[i]?.start.line ?? branch.loc.start.line ?? 0;
      count('branches', times > 0, line, `${branch.type}, branch ${i + 1}`);
    });
  }
  for (const [id, { name: fn, loc }] of Object.entries(file.fnMap)) {
    count('functions', (file.f[id] ?? 0) > 0, loc.start.line ?? 0, `function ${fn}`);
  }
  return gaps;
}

const share = ({ covered, total }: { covered: number; total: number }): string =>
  `${(total === 0 ? 100 : (100 * covered) / total).toFixed(1)} % of ${total}`;

const folder = mkdtempSync(join(tmpdir(), 'syndrome-coverage-'));
try {
  const args = ['run', '--project', 'fast', '--reporter=dot'];
  const how = ['--coverage.enabled', '--coverage.provider=v8', '--coverage.reportOnFailure'];
  const where = ['--coverage.reporter=json', `--coverage.reportsDirectory=${folder}`];
  const what = rooms.map(room => `--coverage.include=${allRooms[room]?.folder}/**/*.ts`);
  const not = ['--coverage.exclude=**/*.test.ts', '--coverage.exclude=**/testing/**'];
  const vitest = await runChild(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args, ...how, ...where, ...what, ...not],
    // The table is the answer; what the tests print is not.
    { cwd: ROOT, stdio: ['ignore', 2, 2] },
  );
  const report = join(folder, 'coverage-final.json');
  if (vitest.interrupted) process.exitCode = vitest.code;
  else if (!existsSync(report)) {
    console.error(`vitest wrote no report (exit ${vitest.code})`);
    process.exitCode = 1;
  } else {
    const files = Object.values(JSON.parse(readFileSync(report, 'utf8')) as Record<string, FileCoverage>);
    const all = nothing();
    const gaps: Gap[] = [];
    const rows = rooms.map(room => {
      const counts = nothing();
      for (const file of files) {
        if (roomOf(relative(ROOT, file.path)) === room) gaps.push(...addFile(file, counts));
      }
      for (const kind of Object.keys(all) as Kind[]) {
        all[kind].covered += counts[kind].covered;
        all[kind].total += counts[kind].total;
      }
      return { room, ...counts };
    });
    if (values.json) console.log(JSON.stringify({ rooms: rows, all, gaps }, null, 2));
    else {
      for (const gap of values.gaps ? gaps : []) console.log(`${gap.file}:${gap.line}: ${gap.what}`);
      const table = [
        ['room', 'lines', 'branches', 'functions'],
        ...[...rows, { room: 'together', ...all }].map(({ room, lines, branches, functions }) => [
          room,
          share(lines),
          share(branches),
          share(functions),
        ]),
      ];
      for (const row of table) {
        const [room = '', ...cells] = row;
        console.log(room.padEnd(12) + cells.map(cell => cell.padStart(18)).join(''));
      }
    }
    process.exitCode = vitest.code;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
