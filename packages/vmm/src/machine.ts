import { alignUp } from '@syndrome/decode/registers/address.ts';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Readable } from 'node:stream';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { openInput, openOutput, openRequests, writeAll } from './channel.ts';
import { ControlLines, parseControl } from './control.ts';
import type { ControlRequest } from './control.ts';
import { deviceTree } from './device-tree.ts';
import { VmmError } from './errors.ts';
import { EventWriter } from './events.ts';
import type { QuarantineReason } from './events.ts';
import { writeFdt } from './fdt.ts';
import { IMAGE_HEADER_BYTES, parseImageHeader } from './image.ts';
import { interruptLine } from './interrupt-line.ts';
import { bootLayout, FDT_MAX_BYTES, MAP } from './layout.ts';
import {
  adviseSmallPages,
  BUS_CODE,
  hostPageBytes,
  mapAnonymous,
  preadInto,
  SIGNAL,
  signalThread,
  viewOf,
} from './libc.ts';
import type { Options } from './options.ts';
import { hostPlace } from './pagemap.ts';
import { blockOf, withoutRange } from './quarantine.ts';
import type { Slot } from './quarantine.ts';
import { SERIAL_BYTES, SerialLine } from './serial.ts';
import { COMMAND, SharedBlock, STATE } from './shared.ts';
import type { FromSigbus, FromVcpu, VcpuThreadData } from './threads.ts';
import { Vcpu } from './vcpu.ts';
import { Vm } from './vm.ts';

const PAUSE_DEADLINE_MS = 5000;
const TERMINATE_DEADLINE_MS = 5000;
/** Host memory is aligned to this, so that the host may back it with huge pages. */
const BLOCK = 0x20_0000n;
const SCRATCH_BYTES = 4096;

/** A running machine: owns the VM, its memory slots, the host's ends of its lines, and the vCPU threads. */
export class Machine {
  readonly #options: Options;
  readonly #shared = new SharedBlock();
  readonly #events: EventWriter;
  readonly #vm: Vm;
  readonly #ram: { gpa: bigint; hva: bigint; bytes: number };
  #slots: readonly Slot[];
  readonly #pageBytes = hostPageBytes();
  readonly #lines: { line: SerialLine; write: (bytes: Uint8Array) => Promise<void> }[] = [];
  readonly #inputs: Readable[] = [];
  readonly #workers: Worker[] = [];
  #errors = 0;
  #placeless = 0;
  readonly #errorPages = new Set<bigint>();
  #quarantined = 0;
  #thresholdSaid = false;
  #end: (reason: string) => void = () => {};
  readonly #ended = new Promise<string>(resolve => {
    this.#end = resolve;
  });

  /** Makes the machine and loads the guest. Nothing runs yet. Throws VmmError, UsageError. */
  constructor(options: Options) {
    this.#options = options;
    this.#events = new EventWriter(openOutput(options.events), options.name, this.#shared);
    this.#vm = new Vm();
    const hva = mapAnonymous(options.memoryBytes + Number(BLOCK));
    this.#ram = { gpa: MAP.ram.base, hva: alignUp(hva, BLOCK), bytes: options.memoryBytes };
    if (!options.hugePages) adviseSmallPages(this.#ram.hva, this.#ram.bytes);
    this.#slots = [{ slot: 0, gpa: this.#ram.gpa, size: BigInt(this.#ram.bytes), hva: this.#ram.hva }];
    for (const slot of this.#slots) this.#vm.setSlot(slot);
  }

  /** Starts the guest and resolves with the reason when it has ended. */
  async run(): Promise<string> {
    const { options, boot, bootargs } = this.#load();
    const seaEnabled = this.#vm.optInToSea(options.sea);
    // Without it, an access to a quarantined page by an instruction such as LDP fails KVM_RUN with ENOSYS.
    this.#vm.enable('ARM_NISV_TO_USER');
    const vcpus = Array.from({ length: options.vcpus }, (_, index) => ({ index, ...this.#vm.createVcpu(index) }));
    const scratch = mapAnonymous(SCRATCH_BYTES);
    this.#vm.createGic({ address: scratch, view: new DataView(viewOf(scratch, SCRATCH_BYTES).buffer) });
    const ring = this.#vm.coalesceWrites([MAP.consoleUart.base, MAP.agentUart.base]);
    const first = vcpus[0];
    if (first !== undefined) {
      const vcpu = new Vcpu(0, first.fd, first.run);
      vcpu.set('X0', boot.fdt);
      vcpu.set('PC', boot.kernel);
    }
    const console = this.#line(options.console, MAP.consoleUart.spi);
    const agent = this.#line(options.agent, MAP.agentUart.spi);
    if (options.control !== undefined) this.#listen(options.control);
    this.#events.emit({
      event: 'started',
      pid: process.pid,
      api: this.#vm.api,
      sea: { capability: this.#vm.seaCapability, enabled: seaEnabled },
      vcpus: options.vcpus,
      memory: { gpa: this.#ram.gpa, bytes: BigInt(this.#ram.bytes), hva: this.#ram.hva },
      kernel: { gpa: boot.kernel, bytes: boot.kernelBytes },
      bootargs,
      ms: Math.round(performance.now()),
    });
    this.#startSigbusThread();
    for (const { index, fd, run } of vcpus) {
      this.#startVcpu({
        index,
        vm: options.name,
        vmFd: this.#vm.fd,
        vcpuFd: fd,
        eventsFd: this.#events.fd,
        run,
        ring,
        ram: this.#ram,
        shared: this.#shared.buffer,
        console,
        agent,
        quarantine: options.quarantine,
      });
    }
    const reason = await this.#ended;
    await this.#stop(reason);
    return reason;
  }

  /** Asks the machine to end, from outside. */
  end(reason: string): void {
    this.#end(reason);
  }

  #load(): { options: Options; boot: { fdt: bigint; kernel: bigint; kernelBytes: bigint }; bootargs: string } {
    const options = this.#options;
    const kernel = openFile('--kernel', options.kernel);
    const initrd = options.initrd === undefined ? undefined : openFile('--initrd', options.initrd);
    try {
      const head = new Uint8Array(IMAGE_HEADER_BYTES);
      readSync(kernel.fd, head, 0, head.length, 0);
      const header = parseImageHeader(head);
      const kernelBytes = header.imageSize > BigInt(kernel.bytes) ? header.imageSize : BigInt(kernel.bytes);
      const layout = bootLayout({
        memoryBytes: BigInt(options.memoryBytes),
        textOffset: header.textOffset,
        kernelBytes,
        initrdBytes: BigInt(initrd?.bytes ?? 0),
      });
      preadInto(kernel.fd, this.#hvaOf(layout.kernel), kernel.bytes);
      if (initrd !== undefined && layout.initrd !== undefined)
        preadInto(initrd.fd, this.#hvaOf(layout.initrd.start), initrd.bytes);
      const fdt = writeFdt(
        deviceTree({
          vcpus: options.vcpus,
          memoryBytes: BigInt(options.memoryBytes),
          bootargs: options.append,
          initrd: layout.initrd,
        }),
      );
      if (fdt.length > FDT_MAX_BYTES) throw new VmmError('E_VMM_FDT', 'the device tree is too large');
      viewOf(this.#hvaOf(layout.fdt), fdt.length).set(fdt);
      return { options, boot: { fdt: layout.fdt, kernel: layout.kernel, kernelBytes }, bootargs: options.append };
    } finally {
      closeSync(kernel.fd);
      if (initrd !== undefined) closeSync(initrd.fd);
    }
  }

  #hvaOf(gpa: bigint): bigint {
    return gpa - this.#ram.gpa + this.#ram.hva;
  }

  /** A serial line with its host's end, where there is one. */
  #line(spec: string | undefined, spi: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(SERIAL_BYTES);
    const line = new SerialLine(buffer, interruptLine(this.#vm.fd, spi));
    const lost = (error: unknown): void => this.#end(`serial line lost: ${messageOf(error)}`);
    const output = spec === undefined ? undefined : openOutput(spec);
    let written = Promise.resolve();
    const write = (bytes: Uint8Array): Promise<void> => {
      if (output !== undefined) written = written.then(() => writeAll(output, bytes));
      return written;
    };
    this.#lines.push({ line, write });
    line.pumpOutput(write).catch(lost);
    // A FIFO goes one way; what this VMM inherits as standard output does too.
    if (spec === undefined || spec === 'fd:1' || spec === 'fd:2' || (output !== undefined && isFifo(output)))
      return buffer;
    const input = openInput(spec);
    if (input === undefined) return buffer;
    this.#inputs.push(input);
    const feed = async (): Promise<void> => {
      for await (const chunk of input) await line.input(chunk as Uint8Array);
    };
    feed().catch(lost);
    return buffer;
  }

  #listen(spec: string): void {
    const input = openRequests(spec);
    if (input === undefined)
      throw new VmmError('E_VMM_CHANNEL', `${spec} cannot be read; --control wants a FIFO, socket or terminal`);
    this.#inputs.push(input);
    const lines = new ControlLines();
    input.on('data', (chunk: Uint8Array) => {
      for (const line of lines.push(chunk)) this.#control(line);
    });
    input.on('error', (error: unknown) => this.#events.emit({ event: 'control-refused', reason: messageOf(error) }));
  }

  #startVcpu(data: VcpuThreadData): void {
    const worker = new Worker(new URL('./vcpu-thread.ts', import.meta.url), { workerData: data });
    worker.on('message', (message: FromVcpu) => {
      if (message.kind === 'ended') return this.#end(message.reason);
      if (message.quarantine && message.gpa !== undefined)
        this.#quarantine(message.gpa, message.lsb, message.by, message.vcpu);
      if (message.quarantine) this.#shared.vcpu(message.vcpu).answer();
      this.#countError(message.gpa);
    });
    worker.on('error', error => this.#end(`vCPU thread died: ${messageOf(error)}`));
    this.#workers.push(worker);
  }

  #startSigbusThread(): void {
    const worker = new Worker(new URL('./sigbus-thread.ts', import.meta.url));
    worker.on('message', (message: FromSigbus) => this.#onEarlyNotice(message));
    worker.on('error', error => this.#end(`SIGBUS thread died: ${messageOf(error)}`));
    this.#workers.push(worker);
  }

  /** The host kernel has poisoned a page that nobody consumed yet: nothing for the guest to abort on. */
  #onEarlyNotice(message: FromSigbus): void {
    const { gpa: base, hva, bytes } = this.#ram;
    const gpa = message.hva >= hva && message.hva < hva + BigInt(bytes) ? message.hva - hva + base : undefined;
    const policy = this.#options.quarantine;
    const known = gpa !== undefined && this.#shared.isQuarantined(gpa);
    this.#events.emit({
      event: 'sigbus',
      code: message.code,
      codename: BUS_CODE[message.code] ?? `code ${message.code}`,
      lsb: message.lsb,
      hva: message.hva,
      gpa: { valid: gpa !== undefined, ...(gpa === undefined ? { source: 'none' } : { value: gpa, source: 'hva' }) },
      action: 'none',
      quarantine: gpa === undefined ? 'no-address' : known ? 'already' : policy,
    });
    if (gpa !== undefined && policy === 'now' && !known) this.#quarantine(gpa, message.lsb, 'sigbus');
    this.#countError(gpa);
  }

  #countError(gpa: bigint | undefined): void {
    this.#errors += 1;
    if (gpa === undefined) this.#placeless += 1;
    else this.#errorPages.add(blockOf(gpa, this.#pageBytes));
    // A page that is read again and again is one error; one that nobody can place may be any.
    if (this.#errorPages.size + this.#placeless < this.#options.maxErrors || this.#thresholdSaid) return;
    this.#thresholdSaid = true;
    const stops = this.#options.onThreshold === 'stop';
    this.#events.emit({
      event: 'threshold',
      errors: this.#errors,
      pages: this.#errorPages.size,
      limit: this.#options.maxErrors,
      stops,
    });
    if (stops) this.#end('threshold');
  }

  /**
   * Takes memory out of the guest while no vCPU runs: the host page at an address, or the 2^lsb bytes that the host lost
   * with it (a huge page is poisoned as a whole). `parked` is the vCPU that waits for this.
   */
  #quarantine(address: bigint, lsb: number, by: QuarantineReason, parked?: number): void {
    const began = performance.now();
    const lost = lsb < 32 ? 1n << BigInt(lsb) : 0n;
    const size = lost > this.#pageBytes ? lost : this.#pageBytes;
    const range = { gpa: blockOf(address, size), size };
    const refuse = (reason: string): void =>
      this.#events.emit({ event: 'quarantine-refused', gpa: range.gpa, by, reason });
    const next = withoutRange(this.#slots, range);
    if (next === undefined)
      return refuse(
        this.#shared.isQuarantined(address) ? 'it is quarantined already' : 'the guest has no memory there',
      );
    const others = Array.from({ length: this.#options.vcpus }, (_, index) => index).filter(i => i !== parked);
    try {
      if (!others.every(index => this.#order(index, COMMAND.PAUSE))) return refuse('a vCPU did not stop in time');
      if (!this.#shared.addQuarantined(range)) return refuse('too much is quarantined');
      for (const change of next.changes) this.#vm.setSlot(change);
      this.#slots = next.slots;
    } catch (error) {
      // Some slots may be gone: the guest would fault on good memory. End it rather than let it guess.
      refuse(messageOf(error));
      return this.#end('quarantine-failed');
    } finally {
      for (const index of others) this.#order(index, COMMAND.RUN);
    }
    this.#quarantined += 1;
    this.#events.emit({
      event: 'quarantined',
      gpa: range.gpa,
      bytes: range.size,
      hva: this.#hvaOf(range.gpa),
      hpa: hostPlace(this.#hvaOf(range.gpa), this.#pageBytes),
      by,
      slots: this.#slots.length,
      ranges: this.#quarantined,
      ms: Math.round((performance.now() - began) * 1000) / 1000,
    });
  }

  /** Gives an order to a vCPU thread and, unless it is to run, waits until it has left the guest. False: not in time. */
  #order(index: number, command: number): boolean {
    const cells = this.#shared.vcpu(index);
    cells.order(command);
    if (command === COMMAND.RUN) return true;
    const until = performance.now() + PAUSE_DEADLINE_MS;
    while (cells.state === STATE.RUNNING) {
      const left = until - performance.now();
      if (left <= 0) return false;
      signalThread(cells.threadId, SIGNAL.SIGUSR2);
      cells.waitForChange(STATE.RUNNING, left);
    }
    return true;
  }

  #control(line: string): void {
    const request = parseControl(line);
    if (typeof request === 'string') this.#events.emit({ event: 'control-refused', reason: request });
    else if (request.cmd === 'stop') this.#end('control');
    else this.#onPageRequest(request);
  }

  #onPageRequest(request: Extract<ControlRequest, { gpa: bigint }>): void {
    const page = blockOf(request.gpa, this.#pageBytes);
    const hva = this.#hvaOf(page);
    if (page < this.#ram.gpa || page >= this.#ram.gpa + BigInt(this.#ram.bytes)) {
      this.#events.emit({ event: 'control-refused', reason: 'the guest has no memory there' });
    } else if (request.cmd === 'quarantine') {
      this.#quarantine(page, 0, 'control');
    } else {
      this.#events.emit({
        event: 'page',
        gpa: page,
        hva,
        hpa: hostPlace(hva, this.#pageBytes),
        quarantined: this.#shared.isQuarantined(page),
      });
    }
  }

  async #stop(reason: string): Promise<void> {
    for (let index = 0; index < this.#options.vcpus; index++) this.#order(index, COMMAND.STOP);
    for (const { line, write } of this.#lines) await write(line.rest()).catch(() => {}); // a lost line has nobody to tell
    this.#events.emit({ event: 'stopped', reason, errors: this.#errors, pages: this.#errorPages.size });
    for (const input of this.#inputs) input.destroy();
    // A thread that does not come back from the kernel must not keep a machine that has ended.
    const threads = Promise.all(this.#workers.map(worker => worker.terminate()));
    await Promise.race([threads, sleep(TERMINATE_DEADLINE_MS)]);
  }
}

const isFifo = (fd: number): boolean => fstatSync(fd).isFIFO();

function openFile(option: string, path: string): { fd: number; bytes: number } {
  try {
    const fd = openSync(path, 'r');
    return { fd, bytes: fstatSync(fd).size };
  } catch (cause) {
    throw new VmmError('E_VMM_IMAGE', `${option} cannot be read`, { cause });
  }
}
