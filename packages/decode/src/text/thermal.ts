/** @module Thermal events among machine checks: Linux, mcelog and rasdaemon print both alike. */
import { thermalMessage } from '../mca/thermal.ts';
import { eventItem } from './item.ts';
import type { McaItem, TextItem } from './item.ts';

/** The item itself, or the thermal event that it is, with what was remarked of it. */
export function checkItem(item: McaItem): TextItem {
  const { record, form, firstLine, lastLine, notes } = item;
  const message = thermalMessage(record);
  if (message === undefined) return item;
  const { cpu, status } = record;
  const fields = { ...(cpu === undefined ? {} : { cpu }), message, status };
  return { ...eventItem(form, firstLine, { name: 'thermal', fields }), lastLine, notes };
}
