/**
 * @module What Linux does with what a CXL memory device reports: it is traced, and no page is taken out of use.
 * Source: Linux drivers/cxl (core/mbox.c, core/memdev.c, pci.c, core/ras.c), 6.1 to 7.3.
 */
import type { Facts } from './facts.ts';
import type { Ending, Run } from './prediction.ts';
import type { CxlReport } from './record.ts';
import { defineRules } from './rule.ts';
import { versionSince } from './version.ts';

export const CXL_RULES = defineRules('linux.cxl', 'Linux drivers/cxl', {
  'no-events': [
    'Linux reads the event logs of CXL memory devices since 6.3; before that nobody asks the device.',
    'read',
    'Linux drivers/cxl/pci.c cxl_event_config()',
  ],
  traced: [
    'The driver reads the event log and makes a trace event of each record; the console says nothing, and memory_failure() is not called: the page stays in use until a daemon acts.',
    'observed',
    'Linux drivers/cxl/core/mbox.c cxl_event_trace_record()',
  ],
  'no-poison-list': [
    'Linux reads the poison list of a device since 6.4.',
    'read',
    'Linux drivers/cxl/core/memdev.c cxl_trigger_poison_list()',
  ],
  'poison-silent': [
    'Poison that a device keeps in its list is told by nobody: the list is read when somebody writes trigger_poison_list.',
    'observed',
    'Linux drivers/cxl/core/memdev.c cxl_trigger_poison_list()',
  ],
  'poison-listed': [
    'Each entry of the poison list is a trace event; no page is taken out of use.',
    'observed',
    'Linux drivers/cxl/core/mbox.c cxl_mem_get_poison()',
  ],
  masked: [
    'The masks of the device stay as they are at reset, and a masked protocol error is not reported.',
    'observed',
    'Linux drivers/cxl; CXL 3.1, 8.2.4.17',
  ],
  correctable: [
    'AER takes the internal error of the device, and the driver traces what its RAS capability says.',
    'observed',
    'Linux drivers/cxl cxl_handle_cor_ras()',
  ],
  uncorrectable: [
    'AER freezes the device and its driver stops the use of its memory; memory that is onlined cannot be taken away and stays.',
    'observed',
    'Linux drivers/cxl/core/pci.c cxl_error_detected()',
  ],
});

const R = CXL_RULES;

/** What a CXL memory device reports. */
export function linuxCxl(record: CxlReport, facts: Facts, run: Run): Ending {
  const { event } = record;
  if (event === 'poison') {
    if (!versionSince(facts.get('version'), '6.4')) return run.end('none', R['no-poison-list'], 'nobody asks');
    if (!facts.get('cxlListRead')) return run.end('none', R['poison-silent'], 'nobody asks');
    return run.end('logged', R['poison-listed'], 'cxl_poison');
  }
  if (event === 'correctable' || event === 'uncorrectable') {
    if (facts.get('cxlMasked')) return run.end('none', R.masked, 'not reported');
    if (event === 'correctable') return run.end('logged', R.correctable, 'cxl_aer_correctable_error');
    return run.end('logged', R.uncorrectable, 'cxl_aer_uncorrectable_error');
  }
  if (!versionSince(facts.get('version'), '6.3')) return run.end('none', R['no-events'], 'nobody asks');
  return run.end('logged', R.traced, event === 'dram' ? 'cxl_dram' : 'cxl_general_media');
}
