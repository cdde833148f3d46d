import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { Notice } from '../core/notice.ts';
import type { Words } from './template.ts';

/** What was lost, as one text: `guest page 0x…, 4096 bytes, process mysqld; …`. Empty where nothing is known. */
function lostWords({ gpa, bytes, process, kernel }: NonNullable<Notice['lost']>): string {
  return [
    gpa === undefined ? [] : [`guest page ${hex64(gpa)}`],
    bytes === undefined ? [] : [`${bytes} bytes`],
    process === undefined ? [] : [`process ${process}`],
    kernel === undefined ? [] : [kernel],
  ]
    .flat()
    .join(', ');
}

/** The words of a notice, for templates and logs. */
export function wordsOf(notice: Notice): Words {
  const { id, type, severity, summary, at, vm, vmName, host, incident, notBefore, lost, playbook } = notice;
  return {
    id,
    type,
    severity,
    summary,
    time: new Date(at).toISOString(),
    ...(vm === undefined ? {} : { vm }),
    ...(vmName === undefined ? {} : { vmName }),
    ...(host === undefined ? {} : { host }),
    ...(incident === undefined ? {} : { incident }),
    ...(notBefore === undefined ? {} : { notBefore: new Date(notBefore).toISOString() }),
    ...(lost === undefined ? {} : { lost: lostWords(lost) }),
    ...(playbook === undefined ? {} : { playbook }),
  };
}
