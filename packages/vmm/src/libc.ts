import { VmmError } from './errors.ts';
import { loadKoffi } from './koffi.ts';

const koffi = loadKoffi();
const lib = koffi.load(null);

/** The C library's functions as they are. On Linux a variadic integer or pointer is passed like a named one. */
const c = {
  ioctl: lib.func('int ioctl(int fd, unsigned long request, uintptr_t argument)'),
  ioctlPointer: lib.func('int ioctl(int fd, unsigned long request, void *argument)'),
  mmap: lib.func('uintptr_t mmap(uintptr_t addr, size_t length, int prot, int flags, int fd, int64_t offset)'),
  madvise: lib.func('int madvise(uintptr_t addr, size_t length, int advice)'),
  pread: lib.func('int64_t pread(int fd, uintptr_t buf, size_t count, int64_t offset)'),
  getpagesize: lib.func('int getpagesize()'),
  gettid: lib.func('int gettid()'),
  tgkill: lib.func('int tgkill(int tgid, int tid, int sig)'),
  sigmask: lib.func('int pthread_sigmask(int how, void *set, void *old)'),
  sigtimedwait: lib.func('int sigtimedwait(void *set, void *info, void *timeout)'),
  mkfifo: lib.func('int mkfifo(void *path, unsigned int mode)'),
  prctl: lib.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
  tcgetattr: lib.func('int tcgetattr(int fd, void *termios)'),
  tcsetattr: lib.func('int tcsetattr(int fd, int actions, void *termios)'),
  cfmakeraw: lib.func('void cfmakeraw(void *termios)'),
};

/** Errno values that callers tell apart (asm-generic/errno-base.h). */
export const ERRNO = { EINTR: 4, EAGAIN: 11 } as const;
/** Signal numbers of Linux (asm-generic/signal.h). */
export const SIGNAL = { SIGBUS: 7, SIGUSR2: 12 } as const;
/** `si_code` of a SIGBUS for a memory error (asm-generic/siginfo.h). */
export const BUS_CODE: Readonly<Record<number, string>> = { 4: 'BUS_MCEERR_AR', 5: 'BUS_MCEERR_AO' };

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = (1n << 64n) - 1n;
const SIG_BLOCK = 0;
const PR_MCE_KILL = 33;
const PR_MCE_KILL_SET = 1;
const PR_MCE_KILL_EARLY = 1;
const SIGINFO_BYTES = 128;
const SIGSET_BYTES = 128;
const TERMIOS_BYTES = 256;

const MADV_NOHUGEPAGE = 15;

/** Calls ioctl(2): the value, or minus errno when it fails. */
export function ioctlRaw(fd: number, request: number, argument: number | bigint | Uint8Array = 0): number {
  const call = argument instanceof Uint8Array ? c.ioctlPointer : c.ioctl;
  const value = Number(call(fd, request, argument));
  return value === -1 ? -koffi.errno() : value;
}

/** Calls ioctl(2). Throws E_VMM_IOCTL, naming `what`, when it fails. */
export function ioctl(what: string, fd: number, request: number, argument: number | bigint | Uint8Array = 0): number {
  const value = ioctlRaw(fd, request, argument);
  if (value < 0) throw new VmmError('E_VMM_IOCTL', `${what} failed with errno ${-value}`);
  return value;
}

/** Private anonymous memory, zero-filled, not yet backed by pages. Address of its first byte. Throws E_VMM_MEMORY. */
export function mapAnonymous(bytes: number): bigint {
  return mapped(c.mmap(0, bytes, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), bytes);
}

/** The shared pages of a file descriptor, such as the run area of a vCPU. Throws E_VMM_MEMORY. */
export function mapShared(fd: number, bytes: number): bigint {
  return mapped(c.mmap(0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0), bytes);
}

function mapped(result: number | bigint, bytes: number): bigint {
  const address = BigInt(result);
  if (BigInt.asUintN(64, address) !== MAP_FAILED) return address;
  throw new VmmError('E_VMM_MEMORY', `cannot map ${bytes} bytes (errno ${koffi.errno()})`, {
    hint: 'Give the machine less memory (--memory).',
  });
}

/** Lets the host back a range with its smallest pages only; a host without huge pages does so anyway. */
export function adviseSmallPages(address: bigint, bytes: number): void {
  c.madvise(address, bytes, MADV_NOHUGEPAGE);
}

/** Memory at an address as bytes, without a copy. The address must stay mapped as long as the view lives. */
export function viewOf(address: bigint, bytes: number): Uint8Array {
  return new Uint8Array(koffi.view(address, bytes));
}

/** Reads a file into memory at an address. Throws E_VMM_MEMORY when fewer than `bytes` are there. */
export function preadInto(fd: number, address: bigint, bytes: number): void {
  for (let at = 0; at < bytes; ) {
    const n = Number(c.pread(fd, address + BigInt(at), bytes - at, at));
    if (n <= 0) throw new VmmError('E_VMM_MEMORY', `file ends after ${at} of ${bytes} bytes`);
    at += n;
  }
}

export const hostPageBytes = (): bigint => BigInt(c.getpagesize());

export const threadId = (): number => Number(c.gettid());

/** Sends a signal to one thread of this process. */
export function signalThread(tid: number, signal: number): void {
  c.tgkill(process.pid, tid, signal);
}

function signalSet(signals: readonly number[]): Uint8Array {
  const set = new Uint8Array(SIGSET_BYTES);
  for (const signal of signals) {
    const at = Math.floor((signal - 1) / 8);
    set[at] = (set[at] ?? 0) | (1 << ((signal - 1) % 8));
  }
  return set;
}

/** Blocks signals for the calling thread and returns the thread's former mask, 8 bytes as the kernel takes it. */
export function blockSignals(signals: readonly number[]): Uint8Array {
  const old = new Uint8Array(SIGSET_BYTES);
  c.sigmask(SIG_BLOCK, signalSet(signals), old);
  return old.slice(0, 8);
}

/** A signal that was pending for this thread. `address` and `lsb` mean something for a memory-error SIGBUS only. */
export interface TakenSignal {
  signo: number;
  code: number;
  address: bigint;
  lsb: number;
}

/**
 * Takes one pending signal of this thread out of its queue, waiting up to `timeoutMs`; undefined when there is none.
 * The signals must be blocked. siginfo_t on 64-bit Linux: si_signo 0, si_code 8, si_addr 16, si_addr_lsb 24.
 */
export function takeSignal(signals: readonly number[], timeoutMs: number): TakenSignal | undefined {
  const info = new Uint8Array(SIGINFO_BYTES);
  const timeout = new BigInt64Array([BigInt(Math.floor(timeoutMs / 1000)), BigInt((timeoutMs % 1000) * 1_000_000)]);
  const signo = Number(c.sigtimedwait(signalSet(signals), info, new Uint8Array(timeout.buffer)));
  if (signo <= 0) return undefined;
  const view = new DataView(info.buffer);
  return {
    signo,
    code: view.getInt32(8, true),
    address: view.getBigUint64(16, true),
    lsb: view.getUint16(24, true),
  };
}

/** Makes the calling thread the one that gets SIGBUS BUS_MCEERR_AO early, when a page of the process is poisoned. */
export function receiveEarlyKill(): void {
  c.prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
}

/** Makes a FIFO of this user alone; false where that cannot be done, also where something of that name is there. */
export const makeFifo = (path: string): boolean => Number(c.mkfifo(Buffer.from(`${path}\0`), 0o600)) === 0;

/** Turns off echo, line editing and translations of a terminal device. */
export function makeRaw(fd: number): void {
  const termios = new Uint8Array(TERMIOS_BYTES);
  if (Number(c.tcgetattr(fd, termios)) !== 0) return;
  c.cfmakeraw(termios);
  c.tcsetattr(fd, 0, termios);
}
