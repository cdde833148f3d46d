/** @module What the lab itself did, and the end of the outer machine. */
import { row } from './row.ts';
import { short } from './show.ts';

export const LAB = {
  'lab.step': row('index:number step?:string text?:string', 'The lab begins a step of the scenario.', {
    line: f => `step ${short(f.index)}: ${short(f.text)}`,
  }),
  'lab.injected': row(
    'kind:string record?:string process?:string page?:string cpu?:number bank?:number status?:register mcgStatus?:register addr?:address misc?:register broadcast?:boolean command?:string severity?:string errorType?:number threshold?:boolean section?:string bytes?:number pfn?:pfn dpa?:bigint error?:string path?:string sent?:number',
    'The lab is about to inject an error: a machine check (mce), a firmware report (ghes), an event of a CXL device (cxl) or a poisoned page.',
    { line: (_, { words }) => `INJECT ${words()}` },
  ),
  'lab.firmware-acknowledged': row('', 'The guest has taken the record of its firmware: it cleared the block status.', {
    line: () => 'the guest has taken the record',
  }),
  'lab.firmware-asked': row(
    'type:number error:string addr?:address status:string',
    'The guest has asked its firmware for an error (EINJ), and the lab has answered.',
    { line: f => `the guest asks for ${short(f.error)} at ${short(f.addr)}: ${short(f.status)}` },
  ),
  'lab.outlook': row(
    'outcome:string rule:string certainty:string possible?:string dependsOn?:string within?:number message?:string',
    'What the rules say the scenario will come to, stated before the injection.',
    {
      line: f =>
        `outlook: ${short(f.outcome)}, by ${short(f.rule)}${f.dependsOn === undefined ? '' : ` (depends on: ${short(f.dependsOn)})`}`,
    },
  ),
  'lab.value': row('name:string value:any', 'The lab saved a value under a name.', { line: null }),
  'lab.note': row('text:string flood?:string', 'A remark of the lab.', { line: f => short(f.text) }),
  'lab.skip': row('code:string message:string hint?:string', 'The scenario cannot run here.', {
    line: f => `skipped: ${short(f.message)}`,
  }),
  'lab.error': row('code:string message:string hint?:string', 'The lab itself failed.', {
    line: f => `the lab could not go on: ${short(f.message)}`,
  }),
  'lab.end': row('', 'The lab carried out all steps.', { line: null }),
  'lab.restored': row('point?:string file:string', 'The machine was restored from the state kept by an earlier run.', {
    line: () => 'machine restored from its kept state',
  }),
  'lab.forked': row('step:number', 'The machine was forked from one that had done the steps before this one.', {
    line: f => `machine forked before step ${short(f.step)}`,
  }),
  'lab.loaded': row('step:number', 'The machine was loaded as it stood after the steps before this one.', {
    line: f => `machine loaded as it stood before step ${short(f.step)}`,
  }),
  'machine.exit': row('code?:number signal?:number expected?:boolean', 'The outer QEMU of a nested machine ended.', {
    line: null,
  }),
};
