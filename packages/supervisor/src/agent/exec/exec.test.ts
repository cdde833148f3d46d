/** A real program with real processes for VMs, and everything that it can do wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Act, ActResult } from '../../core/act.ts';
import { NO_POLICY } from '../../core/policy.ts';
import { proofFault } from '../../core/proof.ts';
import type { Said, VmReport } from '../../core/said.ts';
import { rowLine } from '../../wire/row.ts';
import { Agent } from '../agent.ts';
import { agentConfigSchema } from '../config.ts';
import { TestController } from '../testing/controller.ts';
import { Vms } from '../vms.ts';
import { ExecActs } from './acts.ts';
import { ask } from './ask.ts';
import { ANSWERS, askSchema } from './contract.ts';
import { ExecSource } from './source.ts';
import { unwrapped } from './definition.ts';

/**
 * A hypervisor of one VM, web: a process whose number stands in `pid`. How it fails is said by files beside it: `hang`, `fail`, `babble`,
 * `other`, `liar` (a stop does nothing and all is said to be gone), `idle` (what is asked is said to be done, and is not), `auto` (it starts again), `stuck` (an act
 * hangs), `twin` (a reset lets the process of before live), `fails` (an act is said to have failed), `doubts` (what became of it is not known).
 */
const PROGRAM = `#!/bin/sh
d=\${0%/*}
read -r ask
echo "$ask" >> "$d/asked"
word() { printf %s "$ask" | sed -n "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/p"; }
[ -e "$d/hang" ] && { sleep 600 & echo $! > "$d/child"; wait; }
[ -e "$d/fail" ] && { echo 'no connection to the cluster' >&2; exit 7; }
[ -e "$d/babble" ] && { echo 'VMID NAME STATUS'; exit 0; }
vm() {
  state=gone pid=
  case $(sed 's/.*) //' "/proc/$(cat "$d/pid" 2>/dev/null)/stat" 2>/dev/null) in [RSD]*) state=running pid=",\\"pid\\":$(cat "$d/pid")" ;; esac
  [ -e "$d/liar" ] && { state=shut-off pid=; }
  auto=false; [ -e "$d/auto" ] && auto=true
  printf '{"vm":"%s","name":"shop","state":"%s"%s,"definition":"web.conf","disks":["nfs:/vms/web"],"memoryBytes":1024,"autostart":%s,"optedIn":true}' "$1" $state "$pid" $auto
}
case $(word do) in
list) printf '{"vms":[%s]}' "$(vm web)" ;;
look) v=$(word vm); [ -e "$d/other" ] && v=db; vm "$v" ;;
act)
  case $(word act) in
  stop) [ -e "$d/liar" ] || [ -e "$d/idle" ] || kill -9 "$(cat "$d/pid")" ;;
  start) [ -e "$d/idle" ] || { sleep 600 < /dev/null > /dev/null 2>&1 & echo $! > "$d/pid"; } ;;
  autostart-off) rm -f "$d/auto" ;;
  reset)
    [ -e "$d/idle" ] || [ -e "$d/twin" ] || kill -9 "$(cat "$d/pid")"
    [ -e "$d/idle" ] || { sleep 600 < /dev/null > /dev/null 2>&1 & echo $! > "$d/pid"; } ;;
  esac
  [ -e "$d/stuck" ] && sleep 600
  [ -e "$d/refuse" ] && { printf '{"id":"%s","state":"refused","reason":"the cluster has no quorum"}' "$(word id)"; exit 0; }
  i=$(word id); [ -e "$d/other" ] && i=x
  [ -e "$d/after" ] && exit 9
  s=done; [ -e "$d/fails" ] && s=failed; [ -e "$d/doubts" ] && s=unknown
  printf '{"id":"%s","state":"%s"}' "$i" $s ;;
esac
`;

let folder: string;
let machine: ChildProcess;
let vms: Vms;
const never = new AbortController().signal;
const has = (name: string): void => writeFileSync(join(folder, name), '');
const asked = (): Record<string, unknown>[] =>
  readFileSync(join(folder, 'asked'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'exec-'));
  writeFileSync(join(folder, 'program'), PROGRAM);
  chmodSync(join(folder, 'program'), 0o755);
  machine = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(machine, 'spawn');
  writeFileSync(join(folder, 'pid'), String(machine.pid));
  vms = new Vms(join(folder, 'copies.json'));
});
afterEach(() => {
  machine.kill('SIGKILL');
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
  rmSync(folder, { recursive: true });
});

const asker = (deadlineMs = 20_000): ConstructorParameters<typeof ExecSource>[0] => ({
  argv: [join(folder, 'program')],
  host: 'a',
  deadlineMs,
});
const acts = (): ExecActs =>
  new ExecActs(asker(), { vms, epochOf: () => 0, acts: ['stop', 'start', 'reset', 'autostart-off'], lookMs: 20 });
const order = (kind: Act['kind'], ms = 20_000, more: Partial<Act> = {}): Act => ({
  id: `${kind}-1`,
  kind,
  host: 'a',
  vm: 'web',
  epoch: 3,
  incident: 'inc-1',
  deadline: Date.now() + ms,
  ...more,
});

/** What the source tells until it has told enough. */
async function told(
  enough: (said: Said[]) => boolean,
  deadlineMs = 20_000,
  pulse: () => void = () => undefined,
): Promise<Said[]> {
  const said: Said[] = [];
  const end = new AbortController();
  const source = new ExecSource(asker(deadlineMs), { vms, epochOf: () => 2, everyMs: 10, firstMs: 10, longestMs: 10 });
  await source.run(
    one => {
      said.push(one);
      if (enough(said)) end.abort();
    },
    end.signal,
    pulse,
  );
  return said;
}
const reports = (said: Said[]): VmReport[] => said.filter(one => one.kind === 'vm');

describe('the source', () => {
  test('tells what there is, with the process that it is, and then only what changes', async () => {
    const said = await told(
      all => reports(all).some(({ state }) => state === 'gone'),
      20_000,
      () => asked().length > 3 && machine.kill('SIGKILL'),
    );
    const [first, last, ...more] = reports(said);
    expect(first).toMatchObject({ vm: 'web', name: 'shop', state: 'running', pid: machine.pid, vmm: 'exec', epoch: 2 });
    expect(unwrapped(first?.definition)).toBe('web.conf');
    expect([last?.state, more]).toEqual(['gone', []]);
    expect(asked().length).toBeGreaterThan(3);
    expect(asked()[0]).toEqual({ schema: 1, host: 'a', deadlineMs: 20_000, do: 'list' });
    for (const one of said) expect(() => rowLine({ seq: 1, at: 0, said: one })).not.toThrow();
  });

  test.each([
    ['hang', 'stalled', /no answer within 300 ms/],
    ['fail', 'lost', /exit code 7: no connection to the cluster/],
    ['babble', 'lost', /no JSON/],
  ] as const)('of a program that does %s is %s, and no VM is said to be gone', async (how, state, reason) => {
    await told(all => reports(all).length === 1);
    has(how);
    const said = await told(all => all.some(one => one.kind === 'source'), 300);
    expect(said).toEqual([
      expect.objectContaining({ kind: 'source', source: 'exec', state, reason: expect.stringMatching(reason) }),
    ]);
  });

  test('what is said to be shut off while its process is there runs', async () => {
    await told(all => reports(all).length === 1);
    has('liar');
    const [report] = reports(await told(all => reports(all).length === 1));
    expect(report).toMatchObject({ state: 'running', reason: expect.stringContaining('said to be shut-off') });
  });
});

describe('a stop', () => {
  beforeEach(() => told(all => reports(all).length === 1).then(() => undefined));

  test('is proven by the process that is gone, and asked for under its id', async () => {
    const result = await acts().act(order('stop'), never);
    expect(result).toMatchObject({
      state: 'confirmed',
      proof: {
        kind: 'process-gone',
        epoch: 3,
        evidence: { pid: String(machine.pid), autostart: 'off', state: 'gone' },
      },
    });
    if (result.proof === undefined) throw new Error('no proof');
    expect(proofFault(NO_POLICY, 'web', { host: 'a', epoch: 3 }, result.proof)).toBeUndefined();
    expect(asked().find(ask => ask['do'] === 'act')).toMatchObject({ id: 'stop-1', act: 'stop', vm: 'web', epoch: 3 });
  });

  test.each(['liar', 'idle'])('that is said to be done while the process is there is none: %s', async how => {
    has(how);
    const result = await acts().act(order('stop', 4000), never);
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining(`${machine.pid}`) });
    expect(result.proof).toBeUndefined();
    expect(machine.exitCode ?? machine.signalCode).toBeNull();
  });

  test('that was done counts, though the program failed after it', async () => {
    has('after');
    const result = await acts().act(order('stop'), never);
    expect(result).toMatchObject({ state: 'confirmed', seen: { said: 'exit code 9' } });
  });

  test('by a program that hangs is unknown, and all that it started is ended with its deadline', async () => {
    has('hang');
    const result = await acts().act(order('stop', 4000), never);
    expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('no answer within') });
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    const isThere = (): boolean =>
      existsSync(`/proc/${child}`) && !/\) Z /.test(readFileSync(`/proc/${child}/stat`, 'utf8'));
    for (const until = Date.now() + 10_000; isThere() && Date.now() < until; ) await new Promise(setImmediate);
    expect(isThere()).toBe(false);
  });

  test.each(['fail', 'babble', 'other'])(
    'cannot be proven by a program that does %s, though the VM is gone',
    async how => {
      machine.kill('SIGKILL');
      await once(machine, 'exit');
      has(how);
      const result = await acts().act(order('prove', 1000), never);
      expect(result.state).toBe('unknown');
      expect(result.proof).toBeUndefined();
    },
  );

  test('of what starts again by itself is no proof, until that is switched off', async () => {
    has('auto');
    expect(await acts().act(order('stop', 4000), never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('started again'),
    });
    expect(await acts().act(order('autostart-off'), never)).toMatchObject({ state: 'confirmed' });
    expect((await acts().act(order('prove'), never)).proof?.kind).toBe('process-gone');
  });

  test('that is refused is not done', async () => {
    has('refuse');
    has('idle');
    expect(await acts().act(order('stop'), never)).toMatchObject({
      state: 'refused',
      reason: 'refused: the cluster has no quorum',
    });
  });
});

test('a VM whose process was never told cannot be proven to have stopped', async () => {
  has('liar');
  await told(all => reports(all).length === 1);
  const result = await acts().act(order('prove'), never);
  expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('no process of it was ever told') });
});

describe('a start', () => {
  beforeEach(async () => {
    machine.kill('SIGKILL');
    await once(machine, 'exit');
  });
  const start = (ms?: number): Act =>
    order('start', ms, { definition: JSON.stringify({ schema: 1, vmm: 'exec', definition: 'web.conf' }) });

  test('is confirmed by the process that runs, and gets the definition as it was given', async () => {
    const result = await acts().act(start(), never);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    expect(result).toMatchObject({ state: 'confirmed', seen: { pid } });
    expect(asked().find(ask => ask['do'] === 'act')).toMatchObject({ act: 'start', definition: 'web.conf' });
    // A second one is not begun beside it.
    expect(await acts().act({ ...start(), id: 'start-2' }, never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining(pid),
    });
  });

  test('that is said to be done and is not is no start, and proves no end either', async () => {
    has('idle');
    expect(await acts().act(start(4000), never)).toMatchObject({ state: 'failed' });
    // Of an agent that was started since, too.
    vms = new Vms(join(folder, 'copies.json'));
    vms.of('web', 'exec').vmm = 'exec';
    const proof = await acts().act(order('prove'), never);
    expect(proof).toMatchObject({ state: 'unknown', reason: expect.stringContaining('its process was not seen') });
  });

  test.each([
    ['that others may change', () => chmodSync(join(folder, 'program'), 0o777), /they may write/],
    ['whose interpreter is not there', () => writeFileSync(join(folder, 'program'), '#!/nowhere/sh\n'), /ENOENT/],
  ] as const)('by a program %s is none: it proves no less than before', async (_, spoil, reason) => {
    spoil();
    expect(await acts().act(start(2000), never)).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(reason),
    });
    writeFileSync(join(folder, 'program'), PROGRAM);
    chmodSync(join(folder, 'program'), 0o755);
    // Of an agent that was started since, too.
    vms = new Vms(join(folder, 'copies.json'));
    vms.of('web', 'exec').vmm = 'exec';
    expect(await acts().act(order('prove'), never)).toMatchObject({
      state: 'confirmed',
      proof: { evidence: { process: 'absent', way: expect.stringMatching(reason) } },
    });
  });

  test('of what another VMM has defined is refused', async () => {
    expect(await acts().act(order('start', 1000, { definition: '<domain/>' }), never)).toMatchObject({
      state: 'refused',
    });
    expect(existsSync(join(folder, 'asked'))).toBe(false);
  });
});

describe('a reset', () => {
  const pidNow = (): string => readFileSync(join(folder, 'pid'), 'utf8').trim();
  const isAsked = (): boolean => asked().some(ask => ask['do'] === 'act');

  test('is confirmed by another process than before', async () => {
    await told(all => reports(all).length === 1);
    const result = await acts().act(order('reset'), never);
    expect(result).toMatchObject({ state: 'confirmed', seen: { pid: pidNow(), said: 'done' } });
    expect(pidNow()).not.toBe(String(machine.pid));
  });

  test('of a VM that was not told before is one of the process that is found first', async () => {
    expect(await acts().act(order('reset'), never)).toMatchObject({ state: 'confirmed', seen: { pid: pidNow() } });
  });

  test('is no other process that was there before it was asked for', async () => {
    await told(all => reports(all).length === 1);
    machine.kill('SIGKILL');
    await once(machine, 'exit');
    machine = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(machine, 'spawn');
    writeFileSync(join(folder, 'pid'), String(machine.pid));
    has('idle');
    expect(await acts().act(order('reset', 2000), never)).toMatchObject({ state: 'unknown' });
  });

  test.each([
    // Time for three programs and a look, also on a busy machine.
    ['idle', 'unknown', /its process \d+ is there as before/, 6000],
    ['twin', 'unknown', /its process \d+ is there as before/, 6000],
    ['stuck', 'unknown', /no answer within/, 2000],
    ['after', 'unknown', /exit code 9/, 6000],
    ['doubts', 'unknown', /the program said unknown/, 6000],
    ['fails', 'failed', /the program said failed/, 6000],
  ] as const)('by a program that does %s is %s', async (how, state, reason, within) => {
    has(how);
    const result = await acts().act(order('reset', within), never);
    expect(result).toMatchObject({ state, reason: expect.stringMatching(reason) });
    expect(isAsked()).toBe(true);
  });

  test('is not asked for where it does not run, or where nobody says so', async () => {
    has('fail');
    expect(await acts().act(order('reset', 2000), never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('exit code 7'),
    });
    rmSync(join(folder, 'fail'));
    machine.kill('SIGKILL');
    await once(machine, 'exit');
    expect(await acts().act(order('reset', 2000), never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('it does not run here'),
    });
    expect(isAsked()).toBe(false);
  });
});

test('what it is not set up for is refused, and so is a program that others may change', async () => {
  expect(await acts().act(order('migrate'), never)).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('exec: acts'),
  });
  chmodSync(join(folder, 'program'), 0o777);
  const result = await acts().act(order('prove'), never);
  expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('they may write') });
  expect(existsSync(join(folder, 'asked'))).toBe(false);
});

describe('what its arguments name', () => {
  const listed = (path: string, word = path): Promise<ActResult> => {
    const asks = { ...asker(), argv: [join(folder, 'program'), word] };
    return new ExecActs(asks, { vms, epochOf: () => 0, acts: [], lookMs: 20 }).act(order('prove', 2000), never);
  };
  const file = (): string => {
    mkdirSync(join(folder, 'conf/more'), { recursive: true });
    writeFileSync(join(folder, 'conf/more/cluster'), '');
    return join(folder, 'conf/more/cluster');
  };

  test.each([
    ['a file', '', ''],
    ['the folder of a file', '..', ''],
    ['a folder on the way to a file', '../..', ''],
    ['a file of an option', '', '--config='],
  ])('%s that others may write to: it is not run', async (_, of, option) => {
    const path = file();
    expect((await listed(path, option + path)).reason ?? '').not.toContain('they may write');
    chmodSync(join(path, of), 0o777);
    expect(await listed(path, option + path)).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/conf.*can be changed by others: they may write to/),
    });
  });

  test('may be behind a link: the folders of both ways count', async () => {
    const path = file();
    symlinkSync(path, join(folder, 'link'));
    chmodSync(join(folder, 'conf'), 0o777);
    expect((await listed(join(folder, 'link'))).reason).toContain('they may write to');
  });
});

test('its environment is PATH, HOME, the C locale and what its section says, and nothing of the agent', async () => {
  writeFileSync(join(folder, 'program'), '#!/bin/sh\n/usr/bin/env > "${0%/*}/env"\necho \'{"vms":[]}\'\n');
  process.env['SYNDROME_SECRET'] = 'hunter2';
  try {
    await ask({ ...asker(), env: { KUBECONFIG: '/etc/kube', PATH: '/opt/bin:/usr/bin:/bin' } }, { do: 'list' }, never);
  } finally {
    delete process.env['SYNDROME_SECRET'];
  }
  const got = readFileSync(join(folder, 'env'), 'utf8').trim().split('\n').toSorted();
  const { homedir: home } = userInfo();
  // The shell of the program adds words of its own.
  expect(got.filter(line => !/^(?:PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual(
    [`HOME=${home}`, 'KUBECONFIG=/etc/kube', 'LC_ALL=C', 'PATH=/opt/bin:/usr/bin:/bin'].toSorted(),
  );
});

test('the schemas of docs/exec.schema.json are those by which answers are checked: else UPDATE_GOLDEN=1', async () => {
  const of = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const schemas = {
    question: of(askSchema),
    ...Object.fromEntries(Object.entries(ANSWERS).map(([name, s]) => [name, of(s)])),
  };
  const file = join(import.meta.dirname, '../../../../../docs/exec.schema.json');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, `${JSON.stringify(schemas, undefined, 2)}\n`);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(schemas)));
});

test('an agent tells of its VMs, and acts on them by it, also one that was started again', async () => {
  const controller = await TestController.listen(join(folder, 'c.sock'));
  const config = agentConfigSchema.parse({
    host: 'a',
    folder: join(folder, 'state'),
    controller: join(folder, 'c.sock'),
    kmsg: false,
    trace: false,
    sysfs: false,
    start: { folder: join(folder, 'vms'), logs: join(folder, 'logs') },
    exec: { argv: [join(folder, 'program')], acts: ['stop', 'start'], everySeconds: 1 },
  });
  const whole = async (use: () => Promise<void>): Promise<void> => {
    const end = new AbortController();
    const agent = await Agent.open(config, { tickMs: 10 });
    const running = agent.run(end.signal);
    await use().finally(() => end.abort());
    await running;
  };
  const result = (id: string): Promise<Said> => controller.until(s => s.kind === 'result' && s.action === id);
  try {
    await whole(async () => {
      await controller.until(s => s.kind === 'vm' && s.vmm === 'exec' && s.pid === machine.pid);
      controller.order(order('stop'));
      expect(await result('stop-1')).toMatchObject({ state: 'confirmed', proof: { kind: 'process-gone' } });
    });
    await whole(async () => {
      controller.order(order('prove'));
      expect(await result('prove-1')).toMatchObject({ state: 'confirmed', proof: { kind: 'process-gone' } });
      // Its end was looked for: only a later epoch begins.
      const definition = JSON.stringify({ schema: 1, vmm: 'exec', definition: 'web.conf' });
      controller.order(order('start', 20_000, { definition, epoch: 4 }));
      expect(await result('start-1')).toMatchObject({ state: 'confirmed' });
    });
  } finally {
    await controller.close();
  }
});

test('an agent has it in its configuration', () => {
  const { exec } = agentConfigSchema.parse({ host: 'a', exec: { argv: ['/usr/local/lib/pve'] } });
  expect(exec).toEqual({ argv: ['/usr/local/lib/pve'], env: {}, acts: [], everySeconds: 15, deadlineSeconds: 20 });
  for (const wrong of [{ argv: ['pve'] }, { argv: ['/x'], acts: ['prove'] }, { argv: [] }])
    expect(agentConfigSchema.safeParse({ host: 'a', exec: wrong }).success).toBe(false);
});
