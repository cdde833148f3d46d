/** The page of a folder for a bug report, in Markdown. */
import { basename } from 'node:path';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { VERSION } from '@syndrome/decode/common/version.ts';
import type { RunResult } from '../run.ts';
import type { Scenario } from '../scenario/load.ts';

/** What the page says of a file of the machine. */
interface NamedFile {
  name: string;
  bytes: number;
  sha256: string;
}

/** A run from the folder, by its own program. */
export interface Replay {
  status: number;
  output: string;
}

interface Facts {
  scenario: Scenario;
  result: RunResult;
  /** The QEMU with which it was seen. */
  qemu: string;
  files: readonly NamedFile[];
  /** The lines that were seen, as `steps.txt` has them. */
  expected: readonly string[];
  /** Undefined where the folder was not played. */
  replay?: Replay | undefined;
}

const fence = (text: string): string => {
  const ticks = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${ticks}\n${text.trimEnd()}\n${ticks}`;
};
const list = (rows: readonly string[]): string => rows.map(row => `- ${row}`).join('\n');

/** README.md. Everything in it was seen in the run that made the folder, or in the one that played it. */
export function readme({ scenario, result, qemu, files, expected, replay }: Facts): string {
  const parts = Object.entries(result.parts).filter(([name]) => !/path$/i.test(name));
  return `# ${safeText(scenario.title)}

${scenario.about.trim()}

## Run it

${fence(`python3 reproduce.py                             # QEMU from PATH; -v shows all that the machine says
QEMU=/path/to/qemu-system-... python3 reproduce.py`)}

It needs Python 3 and a QEMU, no root, no network. \`machine.sh\` has the line of QEMU, \`steps.txt\` all that is said to the
machine and what comes back, in order; \`reproduce.py\` plays it and ends with 0 if all expected lines were seen.

## By hand

\`RUN=$(mktemp -d) ./machine.sh\` with a listener at each \`NAME.sock\`, a FIFO at each \`NAME.in\` and a file at each \`NAME.out\` in
\`$RUN\`, or the QEMU line of \`machine.sh\` with character devices of your own. The agent in the initramfs takes requests on its
serial port, a line each, as \`steps.txt\` has them after \`agent >\`; the errors are injected by the lines after \`! \`.

## Seen

Verdict of the scenario: **${result.verdict}**; outcome **${result.outcome}**.
${result.causes.map(cause => `Known cause: ${safeText(cause.text)}\n`).join('')}
${fence(expected.join('\n'))}

Expected, in the scenario's own words:

${list(result.expectations.map(({ expectation, status }) => `${status}: \`${expectation}\``))}

${replay === undefined ? 'The folder itself was not played.' : `The folder, played by \`reproduce.py\` (exit status ${replay.status}):\n\n${fence(replay.output)}`}

## Why

${scenario.why.trim()}

## Made of

${list([...parts.map(([name, value]) => `${name}: ${safeText(value)}`), `QEMU: ${safeText(qemu)}`])}

| file | bytes | SHA-256 |
|---|---|---|
${files.map(({ name, bytes, sha256 }) => `| ${basename(name)} | ${bytes} | \`${sha256}\` |`).join('\n')}

The kernels and Xen are Debian's, unchanged, of the versions named above; their source is Debian's source package of that version.
The initramfs has the agent, a static program, and the modules named in \`steps.txt\`.

## Sources

${list(scenario.sources.map(source => safeText(source)))}

Made by syndrome ${VERSION} from the run whose trace is in \`trace.ndjson\`.
`;
}
