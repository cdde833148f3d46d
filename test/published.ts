/** What is published, made, packed and installed into an empty folder as a user does it, without a registry. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const DEADLINE_MS = 240_000;

/** Runs a program to its end, which has to be a good one; gives what it prints. */
function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: DEADLINE_MS });
  expect(status, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

/** A folder for both packages, and for those who use them. */
export class Published {
  readonly work: string = mkdtempSync(join(tmpdir(), 'syndrome-published-'));
  readonly run: typeof run = run;
  /** The Node of the lock file, where the shell finds it. */
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
  };

  /** Makes what is published. */
  build(): void {
    run(process.execPath, [join(ROOT, 'scripts/build.ts'), '--out', this.work], ROOT);
  }

  #npm(args: string[], cwd: string): string {
    const offline = { npm_config_offline: 'true', npm_config_cache: join(this.work, 'cache') };
    return run('npm', args, cwd, { ...process.env, ...offline });
  }

  /** Packs what was built and installs it into an empty folder; gives the folder and the size of the tarball. */
  installed(name: 'decode' | 'syndrome'): { folder: string; bytes: number } {
    const pack = ['pack', '--silent', '--pack-destination', this.work];
    const [tarball = ''] = this.#npm(pack, join(this.work, name)).trim().split('\n');
    const folder = join(this.work, `uses-${name}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    this.#npm(['install', '--no-audit', '--no-fund', join(this.work, tarball)], folder);
    return { folder, bytes: statSync(join(this.work, tarball)).size };
  }

  remove(): void {
    rmSync(this.work, { recursive: true, force: true });
  }
}
