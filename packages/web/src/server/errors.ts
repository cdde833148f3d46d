import { Refusal } from '@syndrome/base/http/problem.ts';

/** What can be wrong with a file that a page asks for. */
export type WebCode = 'E_WEB_FILE' | 'E_WEB_GONE' | 'E_WEB_LARGE';

/** A refusal of a file. */
export function refuseFile(status: 404 | 410 | 413, code: WebCode, message: string, hint: string): Refusal {
  return new Refusal(status, code, message, { hint });
}
