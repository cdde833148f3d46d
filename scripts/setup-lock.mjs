// One set-up at a time in one tree: two `npm ci` at once would delete each other's files.
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 15 * 60_000;
const POLL_MS = 200;
/** A holder that cannot be seen from here (another container on the same tree) is believed dead without a sign for so long. */
const UNSEEN_MS = 60_000;
const SIGN_MS = 10_000;

/** @param {() => string} read */
const attempt = read => {
  try {
    return read();
  } catch {
    return '';
  }
};

/** Field 22 of /proc/PID/stat (start time): tells a process from a younger one with its pid; '' when there is none. */
const startTime = pid => {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
};

const here = () => ({
  boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
});

/** @param {string} text the owner file @param {number} ageMs since its holder gave a sign */
function isStale(text, ageMs) {
  try {
    const { pid, start, boot, namespace } = JSON.parse(text);
    const now = here();
    if (boot === now.boot && namespace === now.namespace) return startTime(pid) !== start;
  } catch {
    // Not written by us.
  }
  return ageMs > UNSEEN_MS;
}

/**
 * Takes the lock, waiting for a living holder; gives back the way to release it. The folder appears with its owner in it (a
 * rename onto a folder that is not empty fails), so that it is never seen half made.
 *
 * @param {string} folder the lock
 * @param {(pid: number | string) => void} onWait called once when somebody else holds it
 * @throws the error of the file system, or an Error after the deadline
 */
export async function takeSetupLock(folder, onWait) {
  const owner = JSON.stringify({ pid: process.pid, start: startTime(process.pid), ...here() });
  // The pid alone is not enough: another container on this tree may have one with the same, or have left its folder behind.
  const mine = `${folder}.${process.pid}.${randomBytes(8).toString('hex')}`;
  const until = Date.now() + DEADLINE_MS;
  let told = false;
  mkdirSync(mine);
  try {
    writeFileSync(join(mine, 'owner.json'), owner);
    for (;;) {
      try {
        renameSync(mine, folder);
        break;
      } catch (error) {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      }
      const file = join(folder, 'owner.json');
      const text = attempt(() => readFileSync(file, 'utf8'));
      const age = statSync(folder, { throwIfNoEntry: false });
      if (age === undefined) continue;
      const sign = statSync(file, { throwIfNoEntry: false }) ?? age;
      if (isStale(text, Date.now() - sign.mtimeMs)) {
        takeAway(folder, `${mine}.old`, text);
        continue;
      }
      if (!told) onWait(attempt(() => String(JSON.parse(text).pid)));
      told = true;
      if (Date.now() > until) throw new Error(`another set-up holds ${folder} for too long`);
      await delay(POLL_MS);
    }
  } finally {
    rmSync(mine, { recursive: true, force: true });
  }
  const file = join(folder, 'owner.json');
  const sign = setInterval(() => attempt(() => String(utimesSync(file, new Date(), new Date()))), SIGN_MS);
  sign.unref();
  return () => {
    clearInterval(sign);
    if (attempt(() => readFileSync(file, 'utf8')) === owner) takeAway(folder, `${mine}.old`, owner);
  };
}

/**
 * Removes a lock in one step (an emptied folder could be taken by a rename while it is being removed). One that somebody else
 * has taken over meanwhile is put back.
 */
function takeAway(folder, grave, text) {
  try {
    renameSync(folder, grave);
    if (attempt(() => readFileSync(join(grave, 'owner.json'), 'utf8')) !== text) {
      renameSync(grave, folder);
      return;
    }
  } catch {
    // Somebody else was faster.
  }
  rmSync(grave, { recursive: true, force: true });
}
