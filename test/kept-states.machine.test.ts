/** The kept states of machines, with real machines. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseEvent, parseTrace } from '@syndrome/trace/testing/parse.ts';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

test('of two runs at once that need the same state one makes it, the other waits and restores it', async () => {
  // A command line of its own: no state of it can be kept.
  const args = ['run', 'intel-ce-logged', '--json', '--accel', 'tcg', '--guest-cmdline', `kept=${process.pid}`];
  const ended = await Promise.all([sandbox.run(...args), sandbox.run(...args)]);
  const results = ended.map(
    ({ stdout }) => JSON.parse(stdout) as { verdict: string; restored: boolean; trace: string; identity: string },
  );
  const events = results.flatMap(r => readFileSync(r.trace, 'utf8').split('\n').slice(1).map(parseEvent));
  const kept = events.find(e => e?.name === 'lab.restored')?.fields?.file;
  try {
    expect(results.map(r => r.verdict)).toEqual(['pass', 'pass']);
    expect(results.filter(r => r.restored)).toHaveLength(1);
    // Booted or restored: it is the same run, and the state has the name that the header says.
    const { header } = parseTrace(readFileSync(results[0]?.trace ?? '', 'utf8'), 'trace');
    expect(results.map(r => r.identity)).toEqual([header.identity?.run, header.identity?.run]);
    expect(basename(String(kept), '.state')).toBe(header.identity?.states[0]);
    const notes = events.filter(e => e?.name === 'lab.note').map(e => String(e?.fields?.text));
    expect(notes.filter(text => text.startsWith('the state of the machine is kept'))).toHaveLength(1);
    expect(notes.filter(text => /^waits for process \d+, which makes the state/.test(text))).toHaveLength(1);
    // What is wrong around a run is no fault of the state.
    const { TMPDIR } = sandbox.env;
    sandbox.env.TMPDIR = '/no/such/folder';
    const { code, stdout } = await sandbox.run(...args);
    sandbox.env.TMPDIR = TMPDIR;
    expect([code, existsSync(String(kept))]).toEqual([3, true]);
    expect(stdout).toContain('E_LAB_RUN_DIR');
  } finally {
    if (typeof kept === 'string') rmSync(kept, { force: true });
  }
  await sandbox.clean();
});
