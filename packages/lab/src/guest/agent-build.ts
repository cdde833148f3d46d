import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDerived } from '@syndrome/base/disk/derived.ts';
import { AgentBuildError } from './errors.ts';

const WHERE = 'The folder guest/ is part of the installation and must stand beside packages/.';

export type GuestArch = 'amd64' | 'arm64';

/** A C compiler for one architecture that links statically against a libc; `id` changes when its output may change. */
export interface StaticToolchain {
  readonly id: string;
  compileStatic(options: { source: readonly string[]; output: string; deadlineMs?: number }): Promise<void>;
}

const GUEST_FOLDER = fileURLToPath(new URL('../../../../guest', import.meta.url));

/** The agent's C sources: what is compiled and what it includes. @throws AgentBuildError where the folder is not there */
export function agentSources(folder = GUEST_FOLDER): string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.[ch]$/.test(name))
      .sort()
      .map(name => join(folder, name));
  } catch (cause) {
    throw new AgentBuildError(`cannot read the agent sources in ${folder}`, { hint: WHERE, cause });
  }
}

/**
 * Path of the agent program for an architecture, built when the cache does not hold it whole for these sources and this
 * toolchain. Concurrent builds are safe: each writes its own file and renames it into place.
 * Throws AgentBuildError.
 */
export async function agentBinary(options: {
  arch: GuestArch;
  toolchain: StaticToolchain;
  cacheDir: string;
  sources?: readonly string[];
  deadlineMs?: number;
}): Promise<string> {
  const sources = options.sources ?? agentSources();
  const compiled = sources.filter(source => source.endsWith('.c'));
  if (compiled.length === 0) throw new AgentBuildError('there is no source of the guest agent', { hint: WHERE });
  const { arch, toolchain, cacheDir, deadlineMs } = options;
  const made = JSON.stringify([arch, toolchain.id]);
  try {
    return await builtOnce(`agent-${arch}`, sources, made, cacheDir, async output => {
      await toolchain.compileStatic({ source: compiled, output, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
      await chmod(output, 0o755);
    });
  } catch (cause) {
    if (cause instanceof AgentBuildError) throw cause;
    throw new AgentBuildError(`the guest agent for ${options.arch} could not be built`, {
      hint: 'The cause is the compiler’s own message. A damaged package cache is a common reason: clear it and retry.',
      cause,
    });
  }
}

/**
 * A file that is made of sources, unless the cache holds it whole already.
 * @param name what its name begins with; a hash of the sources and of `by` follows
 * @param by changes whenever the same sources may come to something else
 * @throws AgentBuildError for a source that cannot be read; what `build` throws
 */
export async function builtOnce(
  name: string,
  sources: readonly string[],
  by: string,
  cacheDir: string,
  build: (output: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(by);
  for (const source of sources) {
    const content = await readSource(source);
    hash.update(JSON.stringify([basename(source), content.length])).update(content);
  }
  const output = join(cacheDir, `${name}-${hash.digest('hex').slice(0, 32)}`);
  await makeDerived(output, build);
  return output;
}

async function readSource(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AgentBuildError(`cannot read the agent source ${basename(path)}`, {
      hint: WHERE,
      cause,
    });
  }
}
