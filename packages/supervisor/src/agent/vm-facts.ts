/** @module What an administrator says of a VM, in the configuration or in a file beside its socket, and what its command line says. */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { whyNotOwn } from '@syndrome/base/disk/own-folder.ts';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';
import { parse } from 'yaml';
import { z } from 'zod';
import { MAX_NEEDS } from '../wire/act.ts';
import { cpuNeed, missingSecret } from './needs.ts';
import type { ProcessFacts } from './proc.ts';

/** All may be left out: then nothing is done to the VM, since it has not opted in. */
export const vmFactsSchema = z.strictObject({
  /** Its id on every host; else the name that QEMU was given, else that of the socket. */
  vm: z.string().min(1).max(256).optional(),
  name: z.string().min(1).max(256).optional(),
  optedIn: z.boolean().optional(),
  /** Something on this host starts it by itself. */
  autostart: z.boolean().optional(),
  owner: z.string().max(256).optional(),
  disks: z.array(z.string().max(4096)).max(64).optional(),
  /** QEMU's error output. */
  log: z.string().max(4096).optional(),
  /** The file that its guest's console is written to (`-chardev file`). What stands there is for people to read. */
  console: z.string().max(4096).optional(),
  /** Of the reference VMM: where it takes commands. */
  control: z.string().max(4096).optional(),
});
export type VmFacts = z.infer<typeof vmFactsSchema>;

const MAX_FACTS = 65_536;

/**
 * The facts beside a socket: `<socket>.yaml` or `.json`; none where there is no such file.
 * @throws UsageError E_AGENT_VM_FACTS where it is of another form
 */
export function factsBeside(socket: string): VmFacts {
  for (const ending of ['.yaml', '.json']) {
    const path = `${socket}${ending}`;
    let text: string;
    try {
      const foreign = whyNotOwn(path);
      if (foreign !== undefined) throw new UsageError('E_AGENT_VM_FACTS', foreign);
      text = readFileSync(path, 'utf8').slice(0, MAX_FACTS);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      continue;
    }
    try {
      return vmFactsSchema.parse(parse(text) ?? {});
    } catch (cause) {
      const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
      throw new UsageError('E_AGENT_VM_FACTS', `${path} does not describe a VM: ${why.slice(0, 300)}`, { cause });
    }
  }
  return {};
}

/** How a bare QEMU is started again elsewhere: as JSON, in a VM's definition. */
export const qemuDefinitionSchema = z.object({
  schema: z.literal(1),
  vmm: z.literal('qemu'),
  argv: z.array(z.string()).min(1).max(4096),
  cwd: z.string(),
  /** The folder of its monitor's socket: paths below it are those of a host, and are made anew on another one. */
  folder: z.string(),
  socket: z.string(),
  /** Secrets that were cut out, and without which it would be another VM: it is not started from this. */
  cut: z.array(z.string()).max(256).optional(),
  /** Whose process it was: on another host it does not get other rights. */
  uid: z.int().min(0).optional(),
  /** What its administrator says of it goes with it; what holds for one host only does not. */
  facts: vmFactsSchema.omit({ log: true, control: true, autostart: true }).prefault({}),
});
export type QemuDefinition = z.infer<typeof qemuDefinitionSchema>;

/**
 * Values that are secret by their key in QEMU's options: what comes back from a controller's ledger is none. Whether a display asks for a
 * password (`-vnc :0,password=on`) is no secret.
 */
const SECRET =
  /((?:^|,)(?:(?:data|secret-value)=|pass(?:word|wd)=(?!(?:on|off|yes|no|true|false|y|n)(?:,|$))))(?:[^,]|,,)*/g;
const JSON_SECRET = /("(?:data|password|passwd)"\s*:\s*")(?:[^"\\]|\\.)*"/g;
/** A session at a web server, of the image itself (`cookie`) or of a layer below it (`file.cookie`). `cookie-secret` only names an object. */
const COOKIE = /((?:^|,)(?:[\w-]+\.)*cookie=)(?:[^,]|,,)*/g;
const JSON_COOKIE = /("(?:[\w-]+\.)*cookie"\s*:\s*")(?:[^"\\]|\\.)*"/g;
/** Ceph's key in the name of an image (`rbd:pool/image:id=x:key=…`), whose parts end at a colon that is not escaped. */
const RBD_KEY = /(\brbd:(?:[^,"\s]|,,)*?:key=)(?:[^:,"\\]|,,|\\.)*/g;
/** User, who may have no name, and password of a URL. */
const URL_SECRET = /(:\/\/[^/@:,\s]{0,256}):(?:[^/@,\s]|,,){1,256}@/g;
/** Whose `data` is a secret; elsewhere it is any word. */
const OBJECT = /^--?object$/;
/** Whose value names an image and how it is reached. */
const IMAGE = /^--?(?:drive|blockdev|hd[a-d]|cdrom|sda)$/;

/**
 * A word of a command line without what is secret in it.
 * @param cut is told what is missing then
 */
function withoutSecret(word: string, option: string | undefined, cut: (what: string) => void): string {
  const hide = (text: string, pattern: RegExp, end: string, name?: string): string =>
    text.replaceAll(pattern, (whole, head: string) => {
      const key = name ?? /([\w.-]+)"?\s*[=:]\s*"?$/.exec(head)?.[1] ?? 'secret';
      if (whole !== `${head}${end}`) cut(`${key} of ${option ?? 'its command line'}`);
      return `${head}${end}`;
    });
  let kept = word;
  if (OBJECT.test(option ?? '') || /(?:^|,)pass(?:word|wd)=/.test(word)) kept = hide(kept, SECRET, '');
  if (word.startsWith('{')) kept = hide(kept, JSON_SECRET, '"');
  if (IMAGE.test(option ?? '')) {
    kept = hide(kept, COOKIE, '');
    kept = hide(kept, JSON_COOKIE, '"');
    kept = hide(kept, RBD_KEY, '');
  }
  return hide(kept, URL_SECRET, '@', 'password in the URL');
}

/** How a reference VMM is started again elsewhere: as JSON, in a VM's definition. */
export const referenceDefinitionSchema = z.object({
  schema: z.literal(1),
  vmm: z.literal('reference'),
  argv: z.array(z.string()).min(1).max(4096),
  cwd: z.string(),
});
type ReferenceDefinition = z.infer<typeof referenceDefinitionSchema>;

/** The definition of a running reference VMM. */
export function referenceDefinition({ pid, argv }: ProcessFacts, proc = '/proc'): ReferenceDefinition {
  return { schema: 1, vmm: 'reference', argv, cwd: linkOf(pid, 'cwd', proc) || '/' };
}

/** The command line that starts it here: with the files that this host's configuration names for it. */
export function referenceCommand({ argv }: ReferenceDefinition, files: { events: string; control?: string }): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--events' || argv[i] === '--control') i++;
    else out.push(argv[i] as string);
  }
  const control = files.control === undefined ? [] : ['--control', files.control];
  return [...out, '--events', files.events, ...control];
}

/** What a link of a process names; empty where it may not be seen. */
function linkOf(pid: number, name: string, proc: string): string {
  try {
    return readlinkSync(`${proc}/${pid}/${name}`);
  } catch {
    return '';
  }
}

/** The definition of a running QEMU. */
export function qemuDefinition(process: ProcessFacts, socket: string, vm: VmFacts, proc = '/proc'): QemuDefinition {
  const [program = '', ...rest] = process.argv;
  const { log: _log, control: _control, autostart: _autostart, ...facts } = vm;
  const link = (name: string): string => linkOf(process.pid, name, proc);
  // What stands as a bare word was found by somebody's PATH.
  const first = isAbsolute(program) ? program : link('exe') || program;
  const cut = new Set<string>();
  const argv = rest.map((word, i) => withoutSecret(word, rest[i - 1], what => cut.add(what)));
  return {
    schema: 1,
    vmm: 'qemu',
    argv: [first, ...argv],
    ...(cut.size === 0 ? {} : { cut: [...cut].slice(0, 256) }),
    cwd: link('cwd') || '/',
    folder: dirname(socket),
    socket,
    ...uidOf(process.pid, proc),
    facts,
  };
}

function uidOf(pid: number, proc: string): { uid?: number } {
  try {
    return { uid: statSync(`${proc}/${pid}`).uid };
  } catch {
    return {};
  }
}

/**
 * The command line that starts it here: paths below its host's folder are below ours, it does not wait for a migration or for
 * `cont`, and its process stays the one that we start. What is said of it has the paths of this host as well.
 */
export function localCommand(
  definition: QemuDefinition,
  folder: string,
): { argv: string[]; socket: string; facts: VmFacts } {
  const { argv, folder: theirs, socket } = definition;
  const own = (word: string): string => word.replaceAll(`${theirs}/`, `${folder}/`);
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '-S' || word === '-daemonize') continue;
    if (word === '-incoming') i++;
    else out.push(i === 0 ? word : own(word));
  }
  const { console: path, ...facts } = definition.facts;
  // A console elsewhere is one of the old host.
  const here = path?.startsWith(`${theirs}/`) === true ? { console: own(path) } : {};
  return { argv: out, socket: join(folder, basename(socket)), facts: { ...facts, ...here } };
}

/** What of a VM its command line says: disks, CPU model. */
export function factsOfArgv(argv: readonly string[]): { disks: string[]; cpuModel?: string } {
  const disks: string[] = [];
  let cpuModel: string | undefined;
  for (const [i, word] of argv.entries()) {
    const value = argv[i + 1] ?? '';
    if (word === '-cpu') cpuModel = value.split(',')[0];
    if (/^-(?:hd[a-d]|cdrom|sda)$/.test(word)) disks.push(value);
    if (word === '-drive' || word === '-blockdev') {
      const file =
        /(?:^|,)(?:file|filename|file\.filename)=([^,]+)/.exec(value)?.[1] ??
        /"filename"\s*:\s*"([^"]+)"/.exec(value)?.[1];
      if (file !== undefined) disks.push(file);
    }
  }
  return { disks: [...new Set(disks)], ...(cpuModel === undefined || cpuModel === '' ? {} : { cpuModel }) };
}

/** Options whose value is a file that has to be there, and properties of others that name one. */
const FILE_OPTION = /^--?(?:kernel|initrd|dtb|bios|pflash|hd[a-d]|cdrom|sda|L)$/;
const FILE_PROPERTY = /(?:^|,)(?:file|filename|file\.filename|mem-path|pflash\d?|romfile|loader)=((?:[^,]|,,)+)/g;
const JSON_FILE = /"filename"\s*:\s*"([^"\\]+)"/g;
/** Options after which a property of that name is one that is read; elsewhere it may be made by QEMU. */
const READS = /^--?(?:drive|blockdev|object|fw_cfg|device|machine)$/;

/**
 * The files that its start needs on another host: program, kernel, firmware, images. Those in the folder of its socket are made anew there;
 * what is no local file (`nbd://…`, `rbd:…`) is not among them.
 * @example filesOf({ …, argv: ['/usr/bin/qemu-system-x86_64', '-kernel', '/boot/vmlinuz'], cwd: '/', folder: '/run/vms' }) // both
 */
export function filesOf({ argv, cwd, folder }: Pick<QemuDefinition, 'argv' | 'cwd' | 'folder'>): string[] {
  const found = argv.slice(0, 1);
  for (const [i, word] of argv.entries()) {
    const option = argv[i - 1] ?? '';
    if (FILE_OPTION.test(option)) found.push(word);
    if (!READS.test(option)) continue;
    for (const pattern of [FILE_PROPERTY, JSON_FILE])
      for (const [, value = ''] of word.matchAll(pattern)) found.push(value.replaceAll(',,', ','));
  }
  const local = found.filter(word => word !== '' && (isAbsolute(word) || !/^[a-z][\w+.-]*:/i.test(word)));
  const whole = local.map(word => resolve(cwd, word)).filter(path => !path.startsWith(`${folder}/`));
  return [...new Set(whole)];
}

/** What its start needs on another host, as a check there asks for it: what was cut out of its definition, its CPU model, files. */
export function needsOf(definition: QemuDefinition): string[] {
  const { argv, cut = [] } = definition;
  const cpu = cpuNeed(factsOfArgv(argv).cpuModel, argv[0]);
  return [...cut.map(missingSecret), ...cpu, ...filesOf(definition)].slice(0, MAX_NEEDS);
}

/** Whether a guest's console goes to QEMU's own output, and so into its log. */
export function printsOnLog(argv: readonly string[]): boolean {
  return argv.some(word => /^-{1,2}(?:nographic|curses)$/.test(word) || /(?:^|[:=,])(?:mon:)?stdio(?:,|$)/.test(word));
}
