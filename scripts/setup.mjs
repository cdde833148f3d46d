// Set-up from a bare clone, then run a script with the project's own Node.
//
//   node scripts/setup.mjs [script.ts [arg…]]
//
// Runs on any Node from 20 on and uses nothing outside the standard library: it is what makes the rest available.
// Exit code: that of the script; 3 when the set-up failed; 128 + n when signal n ended it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { takeSetupLock } from './setup-lock.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Holds the hash of the lock file whose packages are installed, once all are. bin/syndrome compares its time. */
const stamp = join(root, 'node_modules', '.syndrome-setup');

function fail(message) {
  process.stderr.write(`syndrome set-up: ${message}\n`);
  process.exit(3);
}

if (process.platform !== 'linux') fail('this project runs on Linux.');
const major = Number(process.versions.node.split('.')[0]);
if (major < 20) fail(`Node ${process.versions.node} is too old to run npm; install Node 20 or newer.`);

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
const isDone = () => existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === lockHash();

async function install() {
  const release = await takeSetupLock(join(root, '.syndrome-setup.lock'), pid => {
    process.stderr.write(`syndrome set-up: process ${pid} is installing the packages; waiting for it …\n`);
  }).catch(error => fail(`${root} cannot be set up: ${error.message}`));
  process.on('exit', release);
  if (isDone()) return;
  process.stderr.write('syndrome set-up: installing the packages of package-lock.json (npm ci) …\n');
  const hash = lockHash();
  rmSync(stamp, { force: true });
  const npm = await runChild('npm', ['ci', '--no-progress', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error) fail(`npm could not be started (${npm.error.message}); install npm and try again.`);
  if (npm.interrupted) process.exit(npm.code);
  if (npm.code !== 0) fail('npm ci failed (its messages are above). The npm registry is needed for the first set-up.');
  writeFileSync(stamp, `${hash}\n`);
  release();
}

if (isDone()) {
  // A checkout may touch the lock file without changing it.
  try {
    utimesSync(stamp, new Date(), new Date());
  } catch {
    // A tree that cannot be written to is compared again at each start.
  }
} else await install();

const node = join(root, 'node_modules', '.bin', 'node');
if (!existsSync(node)) fail(`no Node 24 package for ${process.arch} in node_modules; x64 and arm64 are supported.`);

const [script, ...args] = process.argv.slice(2);
if (script) {
  const child = await runChild(node, [join(root, script), ...args]);
  if (child.error) fail(`${node} could not be started (${child.error.message}).`);
  process.exitCode = child.code;
}
