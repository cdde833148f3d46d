/**
 * @module Fence agents: programs that switch a host off, and say whether it is (ClusterLabs, FenceAgentAPI: options as `name=value`
 * lines on standard input; `action=off` and `action=status`; of status 0 is on, 2 is off, else it is not known). What `off`
 * returns proves nothing: BMCs accept and do nothing, and refuse what is done already. What `status` reads afterwards does.
 */
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Act, ActResult } from '../core/act.ts';
import { PROGRAM_ENV, PROGRAM_HINT, whyNotProgram } from '@syndrome/base/disk/program.ts';
import { readPrivate } from '../notify/secret-file.ts';
import { ControllerError } from './errors.ts';

/** How one host is switched off. */
export interface FenceAgent {
  /** Program and arguments, no shell. Never a secret: every user sees arguments. */
  argv: readonly [string, ...string[]];
  /** Options of the agent by their names of `-o metadata`: `ip`, `username`, `plug`, … */
  options: Readonly<Record<string, string>>;
  /** Options that are secrets, each in a file that its owner alone may read; read anew for each call. */
  secretFiles: Readonly<Record<string, string>>;
}

type Power = 'on' | 'off' | 'unknown';

interface Reading {
  power: Power;
  /** What was read, or why nothing was, for a person. */
  said: string;
}

/** One call of an agent; `off` of a slow BMC may take long. */
const CALL_MS = 30_000;
/** Between two readings, and how many of off in a row are one: a host that is only reset is off for a moment. */
const AGAIN_MS = 1000;
const IN_A_ROW = 2;
/** The outcome has to be known before the deadline of the act. */
const MARGIN_MS = 500;
const MAX_OUTPUT = 8192;

const wrong = (host: string, why: string, hint: string, cause?: unknown): ControllerError =>
  new ControllerError('E_CONTROLLER_FENCE', `the fence agent of ${host}: ${why}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });

/** @throws ControllerError E_CONTROLLER_FENCE for what can be known to be wrong before anything is fenced */
export function checkFence(host: string, agent: FenceAgent): void {
  const [program, ...args] = agent.argv;
  const why = whyNotProgram(program);
  if (why !== undefined) throw wrong(host, `${program} ${why}`, PROGRAM_HINT);
  const named = [...Object.keys(agent.options), ...args].find(word => /pass|secret|token/i.test(word));
  if (named !== undefined)
    throw wrong(host, `${named.split('=')[0]} is a secret`, 'Name a file with mode 0600 for it under secretFiles.');
  const told = Object.keys({ ...agent.options, ...agent.secretFiles }).find(name => /^(?:action|option)$/.test(name));
  if (told !== undefined) throw wrong(host, `${told} is said by the controller`, `Leave ${told} out.`);
  try {
    optionLines(agent, 'status');
  } catch (cause) {
    throw wrong(host, messageOf(cause), 'Look at the file and its mode.', cause);
  }
}

/** @throws NotifyError E_NOTIFY_SECRET */
function optionLines({ options, secretFiles }: FenceAgent, action: 'off' | 'status'): string {
  const secrets = Object.entries(secretFiles).map(([name, path]) => [
    name,
    readPrivate(path, 'Write the password into it, and chmod 600 it.'),
  ]);
  return [...Object.entries(options), ...secrets, ['action', action]]
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** One call. Its exit code, undefined where it was ended; what it printed, without what is secret. Never rejects. */
async function call(
  agent: FenceAgent,
  action: 'off' | 'status',
  ms: number,
  signal: AbortSignal,
): Promise<{ code?: number; output: string; stdout: string }> {
  let lines: string;
  try {
    lines = optionLines(agent, action);
  } catch (error) {
    return { output: messageOf(error), stdout: '' };
  }
  const [program, ...args] = agent.argv;
  // Looked at for each call: what others may change since is not run.
  const why = whyNotProgram(program);
  if (why !== undefined) return { output: `${program} ${why}`, stdout: '' };
  const { promise, resolve } = Promise.withResolvers<{ code?: number; output: string; stdout: string }>();
  let [output, stdout] = ['', ''];
  // A group of its own: an agent has programs of its own (ipmitool), which end with it.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: PROGRAM_ENV, detached: true });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(0, MAX_OUTPUT);
    output = (output + text).slice(0, MAX_OUTPUT);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(0, MAX_OUTPUT)));
  // It may end without reading.
  child.stdin.on('error', () => undefined).end(lines);
  const done = (code: number | null, more = ''): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    resolve({ ...(code === null ? {} : { code }), output: `${output}${more}`.trim(), stdout });
  };
  child.on('error', error => done(null, messageOf(error)));
  child.on('close', code => done(code));
  const ran = await promise;
  const secrets = lines.split('\n').flatMap(line => {
    const [name = '', ...value] = line.split('=');
    return Object.hasOwn(agent.secretFiles, name) && value.join('=') !== '' ? [value.join('=')] : [];
  });
  return { ...ran, output: secrets.reduce((text, secret) => text.replaceAll(secret, '…'), ran.output) };
}

/**
 * The power state. Exit code 2 alone is no "off": shells and interpreters end with it for a wrong option or a missing file,
 * and the library of the agents has it for bad arguments. The agent has to say off as well.
 */
async function readPower(agent: FenceAgent, ms: number, signal: AbortSignal): Promise<Reading> {
  const { code, output, stdout } = await call(agent, 'status', Math.min(ms, CALL_MS), signal);
  const last = safeText(output.split('\n').at(-1) ?? '', 200);
  const said = `status: ${code === undefined ? 'no exit code' : `exit code ${code}`}${last === '' ? '' : `, ${last}`}`;
  if (code === 0) return { power: 'on', said };
  if (code === 2 && /\boff\b/i.test(stdout) && !/\bon\b/i.test(stdout)) return { power: 'off', said };
  return { power: 'unknown', said };
}

/**
 * Switches a host off, and reads its power back until it is off twice in a row, or the deadline of the act is over.
 * @returns confirmed with the proof only for what was read; `unknown` where nothing could be read. Never rejects
 * @example await powerOff({ argv: ['/usr/sbin/fence_ipmilan'], options: { ip: '10.0.0.5' }, secretFiles: {} }, act, signal)
 */
export async function powerOff(
  agent: FenceAgent,
  act: Act,
  signal: AbortSignal,
  { now = Date.now, againMs = AGAIN_MS }: { now?: () => number; againMs?: number } = {},
): Promise<ActResult> {
  const { vm, epoch, host } = act;
  const result = (more: Omit<ActResult, 'action' | 'vm' | 'epoch'>): ActResult => ({
    action: act.id,
    ...(vm === undefined ? {} : { vm }),
    epoch,
    ...more,
  });
  if (vm === undefined) return result({ state: 'refused', reason: 'a fence has to say for which VM it is a proof' });
  const rest = (): number => act.deadline - MARGIN_MS - now();
  if (rest() <= 0) return result({ state: 'unknown', reason: 'its deadline was over before it began' });
  const before = await readPower(agent, rest(), signal);
  const off = await call(agent, 'off', Math.max(1, Math.min(rest(), CALL_MS)), signal);
  const returned = off.code === undefined ? 'no exit code' : `exit code ${off.code}`;
  const seen = { agent: basename(agent.argv[0]), before: before.power, off: returned };
  let reading: Reading = { power: 'unknown', said: 'nothing was read in time' };
  let readings = 0;
  for (
    let inARow = 0;
    rest() > 0 && !signal.aborted;
    await sleep(againMs, undefined, { signal }).catch(() => undefined)
  ) {
    const read = await readPower(agent, Math.max(1, rest()), signal);
    // One that the deadline has cut off is none.
    if (readings === 0 || rest() > 0) reading = read;
    readings++;
    inARow = read.power === 'off' ? inARow + 1 : 0;
    if (inARow < IN_A_ROW) continue;
    const evidence = { ...seen, power: 'off', read: reading.said, readings: String(readings) };
    return result({
      state: 'confirmed',
      seen,
      proof: { kind: 'power-off', vm, host, epoch, at: now(), evidence },
    });
  }
  const why = `after off (${returned}${off.output === '' ? '' : `: ${safeText(off.output.split('\n').at(-1) ?? '', 200)}`}) the power reads ${reading.power}: ${reading.said}`;
  return result({ state: reading.power === 'on' ? 'failed' : 'unknown', reason: why.slice(0, 1000), seen });
}
