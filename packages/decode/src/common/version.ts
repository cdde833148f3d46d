/** The version of Syndrome, as in package.json (a test holds them together): for `--version`, traces and schemas. */
export const VERSION = '0.1.0';
