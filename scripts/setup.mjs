// Set-up from a bare clone, then run a script with the project's own Node.
//
//   node scripts/setup.mjs [script.ts [arg…]]
//
// Runs on any Node from 20 on and uses nothing outside the standard library: it is what makes the rest available.
// Exit code: that of the script; 3 when the set-up failed; 128 + n when signal n ended it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { takeSetupLock } from './setup-lock.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Holds the hash of the lock file whose packages are installed, once all are. bin/syndrome compares its time. */
const stamp = join(root, 'node_modules', '.syndrome-setup');
/**
 * The Node of the lock file, in the package for this processor; bin/syndrome starts the same one. Not `.bin/node`: the packages
 * of both processors claim that name, and npm 9 leaves it out together with the package that is not for this one.
 */
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');

/** What a screen obeys or hides, as in packages/decode/src/common/screen.ts: the Node that runs this may read no TypeScript. */
const HOSTILE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** @param {string} message of one line; names and the words of others may be in it */
function fail(message) {
  const shown = message.replace(HOSTILE, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  process.stderr.write(`syndrome set-up: ${shown}\n`);
  process.exit(3);
}

if (process.platform !== 'linux') fail('this project runs on Linux.');
const major = Number(process.versions.node.split('.')[0]);
if (major < 20) fail(`Node ${process.versions.node} is too old to run npm; install Node 20 or newer.`);

if (!['x64', 'arm64'].includes(process.arch)) {
  fail(`there is no Node package for this processor (${process.arch}); x64 and arm64 are supported.`);
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
const isStamped = () => existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === lockHash();

/** What is wrong with the packages that npm says it has installed, in words; undefined when all are there and Node runs. */
function damage() {
  const isMissing = file => `${file} is missing`;
  try {
    accessSync(node, constants.X_OK);
  } catch {
    return isMissing(relative(root, node));
  }
  // A download or a disk that broke off leaves a file that is executable: the shell takes an empty one for a script.
  const { NODE_OPTIONS: _theirs, ...env } = process.env;
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', env });
  if (!/^v\d+\./.test(stdout ?? '')) return `${relative(root, node)} does not run`;
  const list = join('node_modules', '.package-lock.json');
  let packages;
  try {
    ({ packages } = JSON.parse(readFileSync(join(root, list), 'utf8')));
  } catch {
    return isMissing(list);
  }
  const lost = Object.keys(packages)
    .map(folder => join(folder, 'package.json'))
    .find(file => !existsSync(join(root, file)));
  return lost === undefined ? undefined : isMissing(lost);
}
const isDone = () => isStamped() && damage() === undefined;

async function install() {
  const release = await takeSetupLock(join(root, '.syndrome-setup.lock'), pid => {
    process.stderr.write(`syndrome set-up: process ${pid} is installing the packages; waiting for it …\n`);
  }).catch(error => fail(`${root} cannot be set up: ${error.message}`));
  process.on('exit', release);
  if (isDone()) return;
  const lost = isStamped() ? `${damage()}; ` : '';
  process.stderr.write(`syndrome set-up: ${lost}installing the packages of package-lock.json (npm ci) …\n`);
  const hash = lockHash();
  rmSync(stamp, { force: true });
  // Nothing is left out, also where NODE_ENV or the user's own settings leave out what is optional or for development.
  const all = ['--include=dev', '--include=optional'];
  const npm = await runChild('npm', ['ci', ...all, '--no-progress', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error) fail(`npm could not be started (${npm.error.message}); install npm and try again.`);
  if (npm.interrupted) process.exit(npm.code);
  if (npm.code !== 0) fail('npm ci failed (its messages are above). The npm registry is needed for the first set-up.');
  const left = damage();
  if (left !== undefined) {
    fail(
      `npm ci ended well, but ${left}. npm passes over an optional package that it cannot fetch: try again; ` +
        'if it stays, look at the settings of npm (npm config list).',
    );
  }
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

const [script, ...args] = process.argv.slice(2);
if (script) {
  // Options that this Node takes may be none of the other's; its own end with 1 would be taken for an answer of the script.
  const asked = process.env.NODE_OPTIONS;
  if (asked && !/--inspect-(?:brk|wait)/.test(asked)) {
    const { status, stderr } = spawnSync(node, ['-e', 'process.exit(0)'], { encoding: 'utf8' });
    const why = /^(?:.*\/node: |\w*Error).*$/m.exec(stderr ?? '')?.[0] ?? '';
    if (status !== 0) fail(`Node does not start with the NODE_OPTIONS of the environment: ${why}`);
  }
  const child = await runChild(node, [join(root, script), ...args]);
  if (child.error) fail(`${node} could not be started (${child.error.message}).`);
  process.exitCode = child.code;
}
