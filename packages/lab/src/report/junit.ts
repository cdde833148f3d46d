import { escapeLines } from '@syndrome/decode/common/screen.ts';
import { replaceOutput, writeOutput } from '@syndrome/base/disk/output-file.ts';
import type { RunResult } from '../run.ts';
import { outcomeWord, problemText } from '@syndrome/trace/verdict-lines.ts';
import { type Reporter, testName } from './reporter.ts';

/**
 * Text for XML 1.0: markup as references; what XML cannot hold (control characters, lone surrogates, no characters at all),
 * and what would hide in a page made of it, escaped as on a screen. Its line feeds stay.
 */
export function xmlText(text: string): string {
  return escapeLines(text).replace(/[&<>"]/g, reference);
}

const reference = (character: string): string => `&#${character.charCodeAt(0)};`;

/** A line feed or tab that stands in an attribute as it is would be read as a blank. */
const attribute = (name: string, value: string | number): string =>
  ` ${name}="${xmlText(String(value)).replace(/[\t\n]/g, reference)}"`;

function testCase(result: RunResult): string {
  const open = `  <testcase${attribute('name', testName(result))}${attribute('classname', 'syndrome')}${attribute('time', result.seconds.toFixed(3))}>`;
  const problem = result.problem === undefined ? '' : problemText(result.problem);
  const failed = [
    ...result.expectations.filter(e => e.status === 'fail').map(e => `${e.expectation}: ${e.reason}`),
    ...(problem === '' ? [] : [problem]),
  ];
  const body = {
    pass: '',
    fail: `    <failure${attribute('message', failed[0] ?? '')}>${xmlText(failed.join('\n'))}</failure>\n`,
    error: `    <error${attribute('message', problem)}/>\n`,
    skip: `    <skipped${attribute('message', problem)}/>\n`,
  }[result.verdict];
  // A test case has no word for a part of it that could not be judged.
  const notJudged = result.expectations
    .filter(e => e.status === 'not-judged')
    .map(e => `? ${e.expectation}: ${e.reason}`);
  const said = [`outcome ${outcomeWord(result)}`, ...notJudged, `[[ATTACHMENT|${result.trace}]]`].join('\n');
  const out = `    <system-out>${xmlText(said)}</system-out>\n`;
  return `${open}\n${body}${out}  </testcase>\n`;
}

/** A JUnit XML document of all runs. */
export function junitXml(results: readonly RunResult[]): string {
  const count = (verdict: string): number => results.filter(r => r.verdict === verdict).length;
  const time = results.reduce((sum, r) => sum + r.seconds, 0).toFixed(3);
  const suite =
    `<testsuite${attribute('name', 'syndrome')}${attribute('tests', results.length)}${attribute('failures', count('fail'))}` +
    `${attribute('errors', count('error'))}${attribute('skipped', count('skip'))}${attribute('time', time)}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${suite}\n${results.map(testCase).join('')}</testsuite>\n`;
}

/**
 * Writes the document after each result, so that a run that is killed leaves what it knew, and at the end. A file that
 * cannot be written is an error at the end only: the runs go on.
 * @param signal ends the wait for the reader of a pipe
 */
export function junitReporter(file: string, signal?: AbortSignal): Reporter {
  const results: RunResult[] = [];
  return {
    result(result) {
      results.push(result);
      try {
        // A device or a pipe would get the document many times.
        replaceOutput(file, junitXml(results));
      } catch {
        // finish() meets the same error and reports it.
      }
    },
    finish: every => writeOutput(file, junitXml(every), signal),
  };
}
