import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { userFolder } from './user-folder.ts';

test.each<[string, NodeJS.ProcessEnv, string]>([
  ['the variable', { XDG_STATE_HOME: '/x', HOME: '/h' }, '/x/syndrome'],
  ['HOME', { HOME: '/h' }, '/h/.local/state/syndrome'],
  ['HOME, where the variable is relative', { XDG_STATE_HOME: 'x', HOME: '/h' }, '/h/.local/state/syndrome'],
  ['HOME, where the variable is empty', { XDG_STATE_HOME: '', HOME: '/h' }, '/h/.local/state/syndrome'],
  ['what the system knows, without HOME', {}, join(userInfo().homedir, '.local/state/syndrome')],
  ['what the system knows, where HOME is empty', { HOME: '' }, join(userInfo().homedir, '.local/state/syndrome')],
  ['what the system knows, where HOME is relative', { HOME: 'h' }, join(userInfo().homedir, '.local/state/syndrome')],
])('the folder of a user is that of %s', (_what, env, path) => {
  expect(userFolder('XDG_STATE_HOME', env)).toBe(path);
});
