import { Refusal } from '@syndrome/base/http/problem.ts';

/** Why the API refuses a request, by a code that stays the same. */
export type RestCode =
  | 'E_API_BODY'
  | 'E_API_CHANGED'
  | 'E_API_CURSOR'
  | 'E_API_KEY'
  | 'E_API_NONE'
  | 'E_API_OLDER'
  | 'E_API_PARAMETER'
  | 'E_API_REFUSED'
  | 'E_API_ROLE'
  | 'E_API_SLOW'
  | 'E_API_STANDBY'
  | 'E_API_TOKEN';

/** A refusal of the API: a status of HTTP, a code, what is wrong, what to do. */
export const refuse = (
  status: number,
  code: RestCode,
  message: string,
  more: { hint?: string; headers?: Readonly<Record<string, string>> } = {},
): Refusal => new Refusal(status, code, message, more);
