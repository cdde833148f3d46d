/** kill -9 of an agent at any moment: nothing that it could read is missing at the controller. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { TestController } from './testing/controller.ts';

const PROGRAM = `
  import { Agent } from ${JSON.stringify(new URL('agent.ts', import.meta.url).href)};
  import { agentConfigSchema } from ${JSON.stringify(new URL('config.ts', import.meta.url).href)};
  const agent = await Agent.open(agentConfigSchema.parse(JSON.parse(process.argv[1])), { tickMs: 5 });
  process.stdout.write('up');
  await agent.run(new AbortController().signal);`;

const line = (n: number): string => {
  const gpa = `0x${(n * 4096).toString(16).padStart(16, '0')}`;
  return `${JSON.stringify({ v: 1, seq: n, t_ns: n, event: 'quarantined', gpa, bytes: '0x1000', by: 'sea', slots: 1 })}\n`;
};

test('nothing that was written before, during or after a kill is lost', { timeout: 90_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kill-'));
  const events = join(folder, 'vmm.ndjson');
  const config = JSON.stringify(
    parse(`host: a
folder: ${folder}/state
controller: ${folder}/c.sock
kmsg: false
trace: false
sysfs: false
start: { folder: ${folder}/vms, logs: ${folder}/logs }
vmms: [{ vm: arm, events: ${events} }]`),
  );
  const controller = await TestController.listen(join(folder, 'c.sock'));
  writeFileSync(events, '');
  let agent: ChildProcess | undefined;
  try {
    let written = 0;
    const pages = (): Set<bigint | undefined> =>
      new Set(controller.said.flatMap(s => (s.kind === 'event' ? [s.gpa] : [])));
    for (let round = 1; round <= 6; round++) {
      agent = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, config], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(agent.stdout!, 'data');
      for (let i = 0; i < 40 * round; i++) appendFileSync(events, line(++written));
      // Each round at another moment: some rows are at the controller, some in the spool, some not even read.
      const enough = written - 20 * round;
      await controller.until(() => pages().size >= enough);
      if (round < 6) {
        for (let i = 0; i < 15; i++) appendFileSync(events, line(++written));
        agent.kill('SIGKILL');
        await once(agent, 'exit');
        appendFileSync(events, line(++written));
      }
    }
    await controller.until(() => pages().size >= written);
    expect(pages().size).toBe(written);
  } finally {
    agent?.kill('SIGKILL');
    await controller.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
