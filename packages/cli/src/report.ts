import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { messageOf, SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { readInput } from '@syndrome/base/disk/input-file.ts';
import { checkOutputFolder, writeOutputFolder } from '@syndrome/base/disk/output-folder.ts';
import { isSiteFile, REPORT_DATA, reportSite } from '@syndrome/web/report-site.ts';
import { template } from '@syndrome/web/template.ts';
import type { Report } from '@syndrome/web/view/report.ts';
import { reportLines, reportMarkdown } from '@syndrome/web/view/report-text.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { type GlobalOptions, print, printJson, printLines, say, stdoutLook } from './output.ts';
import { findFiles } from './report/find.ts';
import { readResults, turnOf } from './report/read.ts';

interface Options extends GlobalOptions {
  out: string;
  title?: string;
  json?: boolean;
  markdown?: boolean;
}

/** Whether a folder was made by this command: nothing else is in it, no folder either, and its data says so. */
function isReport(folder: string, names: readonly string[]): boolean {
  if (!names.every(isSiteFile) || !names.includes(REPORT_DATA)) return false;
  try {
    if (!names.every(name => lstatSync(join(folder, name)).isFile())) return false;
    const data = JSON.parse(readFileSync(join(folder, REPORT_DATA), 'utf8')) as Partial<Report> | null;
    return data?.type === 'syndrome-report';
  } catch {
    return false;
  }
}

/** `syndrome report`: a folder of results as a static site. What the runs came to is no error of the report. */
export async function report(folder: string, options: Options): Promise<void> {
  const { out } = options;
  const signal = interruptSignal();
  checkOutputFolder('--out', out, isReport);
  const found = (() => {
    try {
      return findFiles(realpathSync(folder), existsSync(out) ? realpathSync(out) : undefined);
    } catch (cause) {
      throw new UsageError('E_USAGE_FILE', `the folder ${folder} cannot be looked at`, {
        cause,
        hint: 'Give the folder that holds the traces of runs: `syndrome run` names it, and $SYNDROME_STATE chooses it.',
      });
    }
  })();
  const title = options.title ?? `Syndrome: ${basename(resolve(folder))}`;
  const { report: results, matrixTexts } = await readResults(found, title, signal);
  const { runs, unread, tests, matrices } = results;
  const files = new Map(found.files.map(file => [file.name, file]));
  const read = async (name: string): Promise<Uint8Array | undefined> => {
    await turnOf(signal);
    try {
      const { path = '', size = 0 } = files.get(name) ?? {};
      return readInput(path, size);
    } catch (error) {
      say(safeText(`${name} is in no page: ${messageOf(error)}`, 500));
      return undefined;
    }
  };
  try {
    await writeOutputFolder(out, reportSite(await template(), results, read, matrixTexts), isReport);
  } catch (cause) {
    throw new SyndromeError('E_REPORT', `the report ${out} could not be written`, {
      cause,
      hint: 'The folder of results was not touched; --out chooses another place.',
    });
  }
  if (options.json) printJson(results);
  else if (options.markdown) printLines(reportMarkdown(results).join('\n'));
  else for (const line of reportLines(results, stdoutLook(options))) print(line);
  for (const { name, message } of unread) say(safeText(message.includes(name) ? message : `${name}: ${message}`, 600));
  if (found.cut)
    say('the folder has more files, or folders in each other, than are looked at; the rest is not in the report');
  if (found.others > 0)
    say(`${found.others === 1 ? '1 file is' : `${found.others} files are`} something else and left out`);
  say(`report ${join(out, 'index.html')}`);
  const isNothing = runs.length + tests.length + matrices.length + unread.length === 0;
  const isPartial = unread.length > 0 || found.cut || runs.some(run => isCut(run));
  process.exitCode = isNothing ? EXIT.skip : isPartial ? EXIT.partial : EXIT.pass;
}

const isCut = ({ problem, damagedLines }: Report['runs'][number]): boolean =>
  damagedLines > 0 || problem?.code === 'E_LAB_TRACE_CUT';
