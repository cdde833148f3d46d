import { writeFileSync } from 'node:fs';
import type { RunResult } from '../lab/run.ts';
import type { Reporter } from './reporter.ts';

/** Text for XML 1.0: markup escaped, characters that XML cannot hold replaced. */
export function xmlText(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);
}

const attribute = (name: string, value: string | number): string => ` ${name}="${xmlText(String(value))}"`;

function testCase(result: RunResult): string {
  const open = `  <testcase${attribute('name', result.scenario)}${attribute('classname', 'syndrome')}${attribute('time', result.seconds.toFixed(3))}>`;
  const failed = result.expectations.filter(e => e.status === 'fail').map(e => `${e.expectation}: ${e.reason}`);
  const problem = result.problem === undefined ? '' : `${result.problem.code}: ${result.problem.message}`;
  const body = {
    pass: '',
    fail: `    <failure${attribute('message', failed[0] ?? '')}>${xmlText(failed.join('\n'))}</failure>\n`,
    error: `    <error${attribute('message', problem)}/>\n`,
    skip: `    <skipped${attribute('message', problem)}/>\n`,
  }[result.verdict];
  const out = `    <system-out>${xmlText(`outcome ${result.outcome}\n[[ATTACHMENT|${result.trace}]]`)}</system-out>\n`;
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

/** Writes the document to a file when all runs are over. */
export function junitReporter(file: string): Reporter {
  return { finish: results => writeFileSync(file, junitXml(results)) };
}
