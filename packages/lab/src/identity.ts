/**
 * What a run, and each state that a machine goes through in it, is known by: a hash of all that it is made of, with the
 * content of its files. Whatever has the same identity may stand for the other.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { stableArgs } from './machine/qemu-args.ts';
import type { Assembly } from './parts.ts';
import type { RunSpec } from './run-spec.ts';
import type { Step } from './steps/registry.ts';

/** 32 hex digits of a SHA-256. */
type Identity = string;

const digest = (text: string): Identity => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** A part in the cache never changes under its path; any other file is read. */
function fingerprint(path: string, cacheDir: string): string {
  const { size, mtimeMs } = statSync(path);
  if (path.startsWith(`${cacheDir}/`)) return `${size} ${mtimeMs}`;
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * A machine after its boot. Kept states have this for a name: what changes here makes all of them useless.
 * @param argv the QEMU command line, with channels that end at the same names for every run
 * @param files known by content, since a path of the user's own may hold another kernel tomorrow; what is no file is not
 * @param done what else was done before the state was taken
 */
function machineIdentity(
  argv: readonly string[],
  files: readonly string[],
  done: readonly string[],
  cacheDir: string,
): Identity {
  const lines = files
    .filter(path => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map(path => `${path} ${fingerprint(path, cacheDir)}\n`);
  return digest(JSON.stringify([...argv, ...done]) + lines.join(''));
}

/** A machine whose guest answers: what a run starts from, before its first step. */
export function guestIdentity(assembly: Assembly, cacheDir: string): Identity {
  const { files, modules, host, crash } = assembly;
  const { qemu, guest, ...booted } = files;
  const all = [...qemu, ...Object.values(booted), ...Object.values(guest ?? {})];
  return machineIdentity(stableArgs(assembly), all, [...modules, ...(host?.vmm ?? crash ?? [])], cacheDir);
}

/** A nested machine whose host layer is up: the same for every guest, whose files are on disks that it has not looked at. */
export function hostIdentity({ machine, accel, files, modules, seed, uplink }: Assembly, cacheDir: string): Identity {
  const { qemu, guest: _, ...booted } = files;
  const unseen = { ...files, guest: { kernel: 'kernel', initrd: 'initrd' } };
  const setup = {
    machine,
    accel,
    files: unseen,
    ...(seed === undefined ? {} : { seed }),
    ...(uplink ? { uplink } : {}),
  };
  const argv = stableArgs(setup);
  return machineIdentity(argv, [...qemu, ...Object.values(booted)], modules, cacheDir);
}

/**
 * The states that steps lead to: that of the machine, then one for each step. Runs with the same beginning have the same
 * identities as far as that goes.
 */
export function stepIdentities(machine: Identity, steps: readonly Step[]): Identity[] {
  const identities = [machine];
  for (const step of steps) identities.push(digest(JSON.stringify([VERSION, identities.at(-1), step])));
  return identities;
}

/**
 * A whole run: everything that its result depends on. Versions are resolved (`newest` is what is newest now), comments and
 * the place of a scenario file are nothing to it.
 */
export function runIdentity(spec: RunSpec, assembly: Assembly, cacheDir: string): Identity {
  const { steps, name, title, expect, outcome, settle, timeout } = spec.scenario;
  const of = {
    version: VERSION,
    end: stepIdentities(guestIdentity(assembly, cacheDir), steps).at(-1),
    judged: { name, title, expect, outcome, settle },
    timeout: spec.timeout ?? timeout,
    cold: spec.cold === true,
    host: assembly.local ? release() : undefined,
    parts: assembly.parts,
  };
  return digest(JSON.stringify(of));
}
