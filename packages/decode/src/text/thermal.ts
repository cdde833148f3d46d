/** @module Thermal events among machine checks: Linux, mcelog and rasdaemon print both alike. */
import { thermalMessage } from '../mca/thermal.ts';
import { eventItem } from './item.ts';
import type { McaItem, TextItem } from './item.ts';

/** The item itself, or the thermal event that it is. */
export function checkItem(item: McaItem): TextItem {
  const { record, form, firstLine, lastLine } = item;
  const message = thermalMessage(record);
  if (message === undefined) return item;
  const fields = { cpu: record.cpu ?? 0, message, status: record.status };
  return { ...eventItem(form, firstLine, { name: 'thermal', fields }), lastLine };
}
