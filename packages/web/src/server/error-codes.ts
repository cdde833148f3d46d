import type { WebCode } from './errors.ts';

/** What `syndrome web` answers, for `--explain`: what happened, and what to do. */
export const WEB_ERROR_CODES: Readonly<Record<WebCode, string>> = {
  E_WEB_FILE:
    'The page asked for a file that is not in the list. Files come there by their folder alone: links are not followed, and no path leads out of it.',
  E_WEB_GONE: 'The file was in the list and has gone, or something else lies in its place. Look at the list again.',
  E_WEB_LARGE: 'The file is larger than a page can hold. `syndrome show` reads it in the terminal.',
};
