// Set-up from a bare clone, then run a script with the project's own Node.
//
//   node scripts/setup.mjs [script.ts [arg…]]
//
// Runs on any Node from 20 on and uses nothing outside the standard library: it is what makes the rest available.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.syndrome-setup');

function fail(message) {
  process.stderr.write(`syndrome set-up: ${message}\n`);
  process.exit(3);
}

if (process.platform !== 'linux') fail('this project runs on Linux.');
const major = Number(process.versions.node.split('.')[0]);
if (major < 20) fail(`Node ${process.versions.node} is too old to run npm; install Node 20 or newer.`);

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const done = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : '';
if (done !== lock) {
  process.stderr.write('syndrome set-up: installing the packages of package-lock.json (npm ci) …\n');
  const npm = spawnSync('npm', ['ci', '--no-progress', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error) fail(`npm could not be started (${npm.error.message}); install npm and try again.`);
  if (npm.status !== 0)
    fail('npm ci failed (its messages are above). The npm registry is needed for the first set-up.');
  writeFileSync(stamp, `${lock}\n`);
}

const node = join(root, 'node_modules', '.bin', 'node');
if (!existsSync(node)) fail(`no Node 24 package for ${process.arch} in node_modules; x64 and arm64 are supported.`);

const [script, ...args] = process.argv.slice(2);
if (script) {
  // The child owns Ctrl-C: it cleans up and tells its exit code.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  const child = spawnSync(node, [join(root, script), ...args], { cwd: process.cwd(), stdio: 'inherit' });
  if (child.signal) process.exit(128 + (constants.signals[child.signal] ?? 1));
  process.exit(child.status ?? 3);
}
