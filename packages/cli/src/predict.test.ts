import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, 'main.ts');

function predict(...args: readonly string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [MAIN, 'predict', ...args], {
    input: '',
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

interface Answer {
  predictions: { consumer: string; outcome: string; rule: { id: string }; context: Record<string, unknown> }[];
}

/** Consumer, outcome and rule of each prediction. */
function answers(...args: readonly string[]): string[][] {
  const { out } = predict('--json', ...args);
  return (JSON.parse(out) as Answer).predictions.map(p => [p.consumer, p.outcome, p.rule.id]);
}

describe('syndrome predict', () => {
  it('refuses a version that is none, and remarks one outside its tables', () => {
    const { status, err } = predict('amd-deferred', '--set', 'version=banana');
    expect(status).toBe(2);
    expect(err).toContain('--set version=banana: no version');
    expect(err).toContain('6.19.6');
    const old = predict('ce', '--consumer', 'linux', '--set', 'version=3.10');
    expect(old.status).toBe(0);
    expect(old.out).toContain('the rules are those of 5.10 to 7.2 [outlook.older-version]');
  });

  it('takes a name for the record that inject puts into a machine', () => {
    const { record } = JSON.parse(predict('--json', 'srao', '--addr', '0x5000', '--consumer', 'linux').out) as {
      record: object;
    };
    expect(record).toEqual({
      kind: 'x86-mca',
      vendor: 'intel',
      bank: 9,
      status: '0xbd000000000000c0',
      mcgStatus: '0x0000000000000005',
      addr: '0x0000000000005000',
      misc: '0x000000000000008c',
    });
    const { out } = predict('mce 0 9 0xbd000000000000c0 0x5 0x5000 0x8c', '--json', '--consumer', 'linux');
    expect((JSON.parse(out) as { record: object }).record).toEqual({ ...record, vendor: undefined, cpu: 0 });
  });

  it('takes QEMU’s command for #MC, with its own -b', () => {
    const ucna = ['0', '9', '0xbc00000080000136', '0x5', '0x1000', '0x8c'];
    const linux = ['--vendor', 'intel', '--consumer', 'linux', '--set', 'running=user'];
    expect(answers(['mce', '-b', ...ucna].join(' '), ...linux)).toEqual([
      ['linux', 'panicked', 'linux.mce.unknown-source'],
    ]);
    expect(answers(['mce', ...ucna].join(' '), ...linux)).toEqual([
      ['linux', 'panicked', 'linux.mce.rendezvous-timeout'],
    ]);
    // The same record of a server waits in its bank.
    const values = 'status=0xbc00000080000136 bank=9 addr=0x1000 misc=0x86 mcgstatus=5';
    expect(answers(values, ...linux)).toEqual([['linux', 'logged', 'linux.memory-failure.late']]);
  });

  it('takes the ways of arrival that wait for no poll', () => {
    for (const delivery of ['cmci', 'interrupt', 'boot', 'poll']) {
      const { out } = predict('ce', '--consumer', 'linux', '--set', `delivery=${delivery}`);
      expect(out).toContain(`Linux (${delivery}): logs the error`);
    }
  });

  it('follows every setting that is given', () => {
    const ao = ['srao', '--consumer', 'qemu', '--set', 'delivery=sigbus-ao'];
    expect(answers(...ao, '--set', 'mcip=yes')).toEqual([['qemu', 'none', 'qemu.inject.ignore-recursive']]);
    expect(answers(...ao).map(a => a.slice(0, 2))).toEqual([['qemu', 'forwarded']]);
    expect(answers('srao', '--set', 'delivery=sigbus-ao', '--set', 'mcip=yes').find(a => a[0] === 'qemu')?.[1]).toBe(
      'none',
    );
    expect(answers('srar-data', '--consumer', 'kvm', '--set', 'delivery=sigbus-ar')).toEqual([
      ['kvm', 'forwarded', 'kvm.poison.sigbus'],
    ]);
    expect(answers('srao', '--consumer', 'linux', '--set', 'delivery=hmp').map(a => a[1])).toEqual(['not-applicable']);
    expect(answers('mce 0 9 0xbd000000000000c0 0x5 0x1000 0x8c', '--consumer', 'qemu')[0]?.[1]).toBe('forwarded');
    // One CPU alone and all in the handler: Linux waits in vain, unless MCG_STATUS says that it is meant for one.
    const one = ['srar-data', '--consumer', 'linux', '--set', 'broadcast=no', '--set', 'running=user'];
    expect(answers(...one)).toEqual([['linux', 'panicked', 'linux.mce.rendezvous-timeout']]);
    expect(answers(...one, '--set', 'mcgStatus=0xf').map(a => a[1])).toEqual(['killed']);
    expect(answers('srar-data', '--set', 'mcgStatus=0', '--consumer', 'linux')[0]?.[2]).not.toContain('rendezvous');
  });

  it('begins a chain where the record arrives', () => {
    expect(answers('qemu-sea-el0', '--chain')).toEqual([['linux', 'killed', 'linux.sigbus.deadly']]);
    expect(answers('host-data-uer', '--chain').map(a => a[0])).toEqual(['kvm', 'linux']);
    expect(answers('srar-data', '--chain')).toEqual([
      ['qemu', 'forwarded', 'qemu.inject.exception'],
      ['linux', 'killed', 'linux.sigbus.deadly'],
    ]);
  });

  it('says that a consumer cannot get a record', () => {
    const { out } = predict('--esr', '0xbe000c11', '--consumer', 'kvm');
    expect(out).toContain('KVM: not applicable, it cannot get this record');
    expect(out).not.toContain('nothing happens');
    expect(answers('--esr', '0xbe000c11', '--consumer', 'kvm')[0]?.[1]).toBe('not-applicable');
    expect(answers('--esr', '0xbe000c11').map(a => a[0])).toEqual(['linux']);
  });

  it('gives KVM only aborts of a lower exception level', () => {
    const consumers = (esr: string): string[] => answers('--esr', esr).map(a => a[0] ?? '');
    for (const esr of ['0x92000410', '0x82000410']) expect(consumers(esr)).toEqual(['linux', 'kvm']);
    for (const esr of ['0x96000410', '0x86000410']) expect(consumers(esr)).toEqual(['linux']);
    expect(answers('--esr', '0x96000410', '--consumer', 'kvm')).toEqual([
      ['kvm', 'not-applicable', 'kvm.sea.same-level'],
    ]);
    expect(predict('--esr', '0x92000410', '--consumer', 'kvm').out).not.toContain('--vendor');
  });

  it('says whose rules it takes when nobody says', () => {
    const { out } = predict('mce 0 9 0xbd000000000000c0 0x5 0x12345000 0x8c', '--consumer', 'linux');
    expect(out).toContain('The CPU’s vendor is not given: the rules of intel are taken');
    expect(predict('srao', '--consumer', 'linux').out).not.toContain('vendor is not given');
  });

  it('breaks no line that a kernel prints', () => {
    const { out } = predict('ce', '--consumer', 'linux', '--set', 'printAll=yes');
    const line = out.split('\n').find(l => l.includes('PROCESSOR 0:'));
    expect(line).toMatch(/TIME <time> SOCKET <n> APIC <apic> microcode <rev>$/);
    expect(Math.max(...out.split('\n').map(l => l.length))).toBeLessThanOrEqual(100);
  });
});
