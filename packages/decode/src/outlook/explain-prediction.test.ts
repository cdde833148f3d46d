import { describe, expect, it } from 'vitest';
import { explainPrediction, headline, settingText } from './explain-prediction.ts';
import { predict, predictAll } from './predict.ts';
import { cper, named } from './testing/records.ts';

describe('explainPrediction', () => {
  it('says outcome, rules, texts and what it depends on', () => {
    const p = predict(named('amd-deferred'), {
      consumer: 'linux',
      version: '6.19.6',
      delivery: 'poll',
      platform: 'kvm',
    });
    expect(explainPrediction(p)).toEqual([
      'Linux 6.19.6 (poll): panics',
      '  An error that is not uncorrected is logged and cleared.',
      '    -> found within the check interval (300 s unless changed) [linux.poll.corrected]',
      '  A deferred error was not consumed: it is no reason to stop anything.',
      '    -> severity DEFERRED: Deferred error [linux.amd.deferred]',
      '  Clearing a deferred error writes MCA_DESTAT, which only SMCA CPUs have: the write faults and the',
      '  kernel panics.',
      '    -> WRMSR to 0xc0002098 faults [linux.amd-destat.crash]',
      '  prints:',
      '    mce: [Hardware Error]: Machine check events logged',
      '    mce: MSR access error: WRMSR to 0xc0002098 (tried to write 0x0000000000000000) at rIP: <address>',
      '    Kernel panic - not syncing: MCA architectural violation!',
      '  depends on:',
      '    ignoreMsrs (the KVM host ignores unknown MSRs, taken as no): yes: logged',
    ]);
  });

  it('names sources on demand, and the doubt of a rule that was only read', () => {
    const p = predict(named('srao'), { consumer: 'kvm' });
    const text = explainPrediction(p, { sources: true }).join('\n');
    expect(text).toContain('[kvm.set-mce.exception, not seen on a machine yet]');
    expect(text).toContain('kvm_vcpu_ioctl_x86_set_mce()');
  });

  it('keeps to 100 columns but for what a kernel prints', () => {
    for (const record of [named('srar-data'), named('amd-uc'), named('ucna'), cper('fatal')]) {
      for (const p of predictAll(record)) {
        const own = explainPrediction(p, { sources: true }).filter(l => !p.messages.some(m => l.trim() === m.trim()));
        expect(Math.max(...own.map(l => l.length))).toBeLessThanOrEqual(100);
      }
    }
  });
});

describe('headline and settingText', () => {
  it('are short', () => {
    expect(headline(predict(named('uc-fatal'), { consumer: 'xen' }))).toBe('Xen: panics');
    expect([settingText(true), settingText(false), settingText(5n), settingText(2), settingText('kvm')]).toEqual([
      'yes',
      'no',
      '0x0000000000000005',
      '2',
      'kvm',
    ]);
  });
});
