import { describe, expect, test } from 'vitest';
import { Scene } from '../core/testing/scene.ts';
import { checkPolicy, parsePolicy, PolicyError } from './check.ts';
import { explainPolicy } from './explain.ts';
import { SHIPPED, shippedPolicy, shippedText } from './shipped.ts';

const BASE = 'schema: 1\nname: mine\nversion: "1"\nmode: act\n';
const faults = (text: string): string[] => {
  const checked = checkPolicy(text);
  return 'faults' in checked
    ? checked.faults.map(f => `${f.line}:${f.column} ${f.message} ${f.hint ?? ''}`.trim())
    : [];
};

describe('shipped policies', () => {
  test.each(SHIPPED)('%s is right, and is called what its file is called', name => {
    expect(faults(shippedText(name))).toEqual([]);
    expect(shippedPolicy(name).name).toBe(name);
  });

  test('observe and notify have the rules of protect: its decisions can be read before it is trusted', () => {
    for (const name of ['observe', 'notify'] as const) {
      expect(shippedPolicy(name).mode).toBe(name);
      expect(shippedPolicy(name).rules).toEqual(shippedPolicy('protect').rules);
    }
  });

  test('protect tells the owner of a guest that rebooted long after its error, restarts nothing, and still takes pages away', () => {
    const scene = new Scene(shippedPolicy('protect'));
    for (const host of ['a', 'b']) scene.host(host);
    scene.vm('a', 'v', { canQuarantine: true });
    const fields = { gpa: 0x5000n, hva: 0x7000n, code: 'BUS_MCEERR_AO' };
    scene.see('a', 'qemu-log', 'vmm.sigbus-injected', fields, { vm: 'v' });
    // Linux on AMD polls its banks and may panic minutes later; without pvpanic nobody tells more than the reset.
    scene.now += 300_000;
    const first = scene.see('a', 'qmp', 'vmm.reset', { guest: true, reason: 'guest-reset' }, { vm: 'v' });
    expect(first.flatMap(e => (e.effect === 'decision' ? [`${e.decision.rule} ${e.decision.rung}`] : []))).toEqual([
      'core/consequence observe',
      'guest-rebooted quarantine',
    ]);
    expect(first.flatMap(e => (e.effect === 'notice' ? [e.notice] : []))).toMatchObject([
      { type: 'vm.memory.poisoned', severity: 'critical', summary: expect.stringContaining('It has rebooted since.') },
    ]);
    // One act at a time.
    scene.good(scene.acts()[0] ?? expect.fail('no quarantine'));
    const next = scene.see('a', 'qemu-log', 'vmm.sigbus-injected', { ...fields, gpa: 0x6000n }, { vm: 'v' });
    expect(next.flatMap(e => (e.effect === 'act' ? [`${e.act.kind} ${e.act.gpa}`] : []))).toEqual([
      `quarantine ${0x6000}`,
    ]);
    expect(scene.effects.flatMap(e => (e.effect === 'act' ? [e.act.kind] : []))).toEqual(['quarantine', 'quarantine']);
  });

  test('protect acts once at a time and counts no proof that storage has to give', () => {
    const { mode, budget, proofs, reoffline } = shippedPolicy('protect');
    expect({ mode, budget, proofs, reoffline }).toEqual({
      mode: 'act',
      budget: { moves: 1, drainingPercent: 5, drainingAtLeast: 1 },
      proofs: { imageLock: 'never', testedStorage: [], sanlock: false, fence: false },
      reoffline: false,
    });
  });
});

describe('faults', () => {
  test('an unknown key names the nearest one, at its place', () => {
    expect(faults(`${BASE}rulez: []\nrules: []\n`)).toEqual(['5:1 unknown key "rulez" Did you mean "rules"?']);
    expect(faults(`${BASE}rules:\n  - name: a\n    of: vm\n    when: { eror: 3, errors: 1 }\n    do: tell\n`)).toEqual([
      '8:13 rules.0.when: unknown key "eror" Did you mean "errors"?',
    ]);
    expect(faults(`${BASE}rules: []\nbudget: { mowes: 2 }\n`)).toEqual([
      '6:11 budget: unknown key "mowes" Did you mean "moves"?',
    ]);
  });

  test.each([
    ['a command', 'exec: /bin/true'],
    ['a URL', 'webhook: http://example.org'],
  ])('%s has no place in it', (_, line) => {
    expect(faults(`${BASE}rules: []\n${line}\n`)[0]).toContain('unknown key');
  });

  test('a rule that asks for nothing, times and names', () => {
    const rule = (more: string): string => `${BASE}rules:\n  - { name: a, of: vm, ${more}, do: tell }\n`;
    expect(faults(rule('when: { within: 1h }'))).toEqual(['6:30 rules.0.when: a rule has to ask for something']);
    expect(faults(rule('when: { errors: 1, within: 10 }'))[0]).toContain('rules.0.when.within');
    expect(faults(rule('when: { errors: 1, within: 10y }'))[0]).toContain('ms, s, m, h or d');
    expect(faults(rule('when: { errors: 0 }'))[0]).toContain('rules.0.when.errors');
    expect(faults(`${BASE}rules:\n${'  - { name: a, of: vm, when: { errors: 1 }, do: tell }\n'.repeat(2)}`)).toEqual([
      '7:13 two rules are named a',
    ]);
  });

  test('no YAML, an alias bomb and a long text are faults, not crashes', () => {
    expect(faults('a: [').length).toBeGreaterThan(0);
    expect(faults('')).not.toEqual([]);
    expect(faults(`a: &a [1]\nb: [*a, *a]\n`)).not.toEqual([]);
    expect(faults('x'.repeat(300_000))[0]).toContain('at most');
  });

  const rules = (...all: string[]): string => `${BASE}rules:\n${all.map(rule => `  - { ${rule} }\n`).join('')}`;

  test.each([
    ['name: a, of: vm, when: { errors: 1 }, do: quarantine', 'name: b, of: vm, when: { errors: 2 }, do: terminate'],
    ['name: a, of: vm, when: { errors: 2 }, do: tell', 'name: b, of: vm, when: { unlocated: 2, within: 1h }, do: hold'],
    ['name: a, of: vm, when: { errors: 1 }, do: tell', 'name: b, of: vm, when: { consumed: true }, do: reboot'],
    [
      'name: a, of: vm, when: { consequence: [died, panicked] }, do: tell',
      'name: b, of: vm, when: { consequence: [died], errors: 2 }, do: hold',
    ],
    [
      'name: a, of: host, when: { corrected: 5 }, do: tell',
      'name: b, of: host, when: { corrected: 5, correctedBy: row }, do: drain',
    ],
    [
      'name: a, of: host, when: { errors: 2 }, do: tell',
      'name: b, of: host, when: { sameDimm: 2, within: 1d }, do: drain',
    ],
    [
      'name: a, of: host, when: { silent: 1m }, do: tell',
      'name: b, of: host, when: { silent: 5m, errors: 1 }, do: drain',
    ],
    [
      'name: a, of: page, when: { corrected: 5, within: 2h }, do: tell',
      'name: b, of: page, when: { corrected: 9, within: 1h }, do: soft-offline',
    ],
  ])('a rule that none reaches: %s before %s', (a, b) => {
    expect(faults(rules(a, b))).toEqual([
      expect.stringContaining('7:13 rule b is never reached: a stands before it and holds whenever it does'),
    ]);
    // The other way round each has its cases.
    expect(faults(rules(b, a))).toEqual([]);
  });

  test.each([
    // For a reset counts what came since the last one, and a VM is clean behind it.
    ['name: a, of: vm, when: { errors: 2 }, do: reboot', 'name: b, of: vm, when: { errors: 1 }, do: terminate'],
    ['name: a, of: vm, when: { errors: 1 }, do: reboot', 'name: b, of: vm, when: { errors: 1 }, do: tell'],
    ['name: a, of: vm, when: { errors: 1 }, do: reboot', 'name: b, of: vm, when: { errors: 2 }, do: migrate'],
    ['name: a, of: vm, when: { errors: 1, within: 1h }, do: tell', 'name: b, of: vm, when: { errors: 2 }, do: reboot'],
    [
      'name: a, of: vm, when: { errors: 1, consumed: false }, do: tell',
      'name: b, of: vm, when: { errors: 2 }, do: reboot',
    ],
    ['name: a, of: vm, when: { hypervisor: true }, do: tell', 'name: b, of: vm, when: { recursive: true }, do: reboot'],
    [
      'name: a, of: host, when: { corrected: 5, correctedBy: row }, do: tell',
      'name: b, of: host, when: { corrected: 9 }, do: drain',
    ],
    [
      'name: a, of: host, when: { corrected: 5, within: 1h }, do: tell',
      'name: b, of: host, when: { corrected: 9 }, do: drain',
    ],
    ['name: a, of: host, when: { errors: 1 }, do: tell', 'name: b, of: host, when: { suspect: true }, do: drain'],
    ['name: a, of: vm, when: { errors: 1 }, do: tell', 'name: b, of: host, when: { errors: 2 }, do: drain'],
  ])('a rule that has cases of its own: %s before %s', (a, b) => {
    expect(faults(rules(a, b))).toEqual([]);
  });

  test('what can never be: a live migration of a VM with errors, a tested lock on no storage', () => {
    for (const when of ['{ errors: 1 }', '{ consequence: [panicked] }', '{ hypervisor: true }'])
      expect(faults(rules(`name: a, of: vm, when: ${when}, do: migrate`))).toEqual([
        expect.stringMatching(/^6:\d+ rule a migrates a VM that has met errors: only a clean one/),
      ]);
    expect(faults(`${BASE}rules: []\nproofs: { sanlock: true }\n`)).toEqual([]);
    expect(faults(`${BASE}rules: []\nproofs: { imageLock: tested }\n`)).toEqual([
      expect.stringMatching(/^6:22 imageLock: tested counts no lock while testedStorage names no storage/),
    ]);
    expect(faults(`${BASE}rules: []\nproofs: { imageLock: tested, testedStorage: ['nfs:/vms'] }\n`)).toEqual([]);
  });

  test.each(['restart-elsewhere', 'terminate'])('a reset that %s follows at once', rung => {
    for (const errors of [1, 2]) {
      const [a, b] = [
        'name: a, of: vm, when: { errors: 1 }, do: reboot',
        `name: b, of: vm, when: { errors: ${errors} }, do: ${rung}`,
      ];
      expect(faults(rules(a, b))).toEqual([
        expect.stringMatching(/^7:13 rule b is reached only at once behind the reset of a, which is in vain then/),
      ]);
      // The other way round a reset is for what the other one leaves.
      if (errors === 2) expect(faults(rules(b, a))).toEqual([]);
    }
  });

  test.each(['reboot', 'migrate', 'restart-elsewhere', 'terminate'])('%s for what has not happened', rung => {
    for (const key of ['consumed', 'recursive', 'hypervisor'])
      expect(faults(rules(`name: a, of: vm, when: { ${key}: false }, do: ${rung}`))).toEqual([
        expect.stringMatching(/^6:\d+ rule a acts on a VM and asks for nothing that has happened/),
      ]);
    for (const low of ['observe', 'tell', 'quarantine'])
      expect(faults(rules(`name: a, of: vm, when: { consumed: false }, do: ${low}`))).toEqual([]);
  });

  test.each(['drain', 'evacuate'])('%s of hosts that are well', rung => {
    expect(faults(rules(`name: a, of: host, when: { suspect: false }, do: ${rung}`))).toEqual([
      expect.stringMatching(/^6:\d+ rule a closes every host that is well/),
    ]);
    expect(faults(rules(`name: a, of: host, when: { suspect: false, errors: 1 }, do: ${rung}`))).toEqual([]);
  });

  test('a file that is none is not quoted by the kilobyte', () => {
    const long = 'x'.repeat(100_000);
    for (const text of [
      long,
      `${BASE}${long}: 1\nrules: []\n`,
      `"${long}`,
      `${BASE}rules: [*${long}]\n`,
      `!!${long} x\n`,
      `{"${long}": {`,
    ]) {
      expect(faults(text)).not.toEqual([]);
      for (const fault of faults(text)) expect(fault.length).toBeLessThan(600);
    }
  });

  test('the error holds file, line and column', () => {
    expect(() => parsePolicy(`${BASE}rules: 3\n`, 'my.yaml')).toThrow(PolicyError);
    expect(() => parsePolicy(`${BASE}rules: 3\n`, 'my.yaml')).toThrow(/^my\.yaml:5:8: rules: /);
  });
});

test('a policy explains itself: one sentence for each rule', () => {
  const text = explainPolicy(shippedPolicy('protect'));
  for (const { name } of shippedPolicy('protect').rules) expect(text).toContain(`. ${name}: when `);
  expect(text).toContain(
    'third-error: when a VM has met 3 distinct errors within 30 days, its owner is told, and it is stopped, proven to have stopped, and started on another host. A VM that runs is acted on 5 minutes after its owner was told. Its host takes no VM any more.',
  );
  expect(text).toMatch(/^Policy protect@2#[0-9a-f]{12}\nIt acts, /);
  expect(explainPolicy(shippedPolicy('observe'))).toContain('nothing is done.');
});
