import type { DebianArch } from './apt.ts';
import type { BusyboxPart, FirmwarePart, XenPart } from './extras.ts';
import { Fetcher, type FetcherOptions } from './fetcher.ts';
import type { GuestProgramPart } from './guest-program.ts';
import type { CachedPart, Cleaned, CleanWhat } from './inspect.ts';
import { type KernelPart, type KernelRequest, obtainKernel, offeredKernels } from './kernel.ts';
import type { KernelFlavour, KernelOffer } from './kernels.ts';
import { cacheRoot, openLayout } from './layout.ts';
import type { NodePart } from './node.ts';
import type { Offer } from './offers.ts';
import { isQemuVersion, offeredQemus, packagedQemu, type QemuPart, type QemuTarget, userQemu } from './qemu.ts';
import { obtainToolchain, type Toolchain } from './toolchain.ts';

export type { DebianArch } from './apt.ts';
export type { KernelFlavour } from './kernels.ts';

interface SupplyOptions extends FetcherOptions {
  /** Folder of the cache; else SYNDROME_CACHE, XDG_CACHE_HOME/syndrome, ~/.cache/syndrome. */
  cacheDir?: string | undefined;
}

/**
 * The parts a lab is made of: QEMU, kernels, Xen, firmware, busybox and a C tool chain, from Debian packages in a
 * private cache or from the user's own files. Nothing is installed and no privilege is needed. What is in the cache
 * is used without a look at the network; `newest` and its likes are asked for again after a week. Code for what most runs
 * do not need is loaded when it is asked for.
 */
export class Supply {
  readonly #fetcher: Fetcher;

  private constructor(fetcher: Fetcher) {
    this.#fetcher = fetcher;
  }

  /** Opens (and creates) the cache. Throws E_SUPPLY_CACHE when it cannot be used. */
  static async open(options: SupplyOptions = {}): Promise<Supply> {
    return new Supply(new Fetcher(openLayout(cacheRoot(options.cacheDir)), options));
  }

  get cacheDir(): string {
    return this.#fetcher.store.layout.root;
  }

  /**
   * QEMU for a target.
   * @param wanted a version on offer (`10.0.13`, `10.0`, `newest`), or the user's own program: a path, or a name in PATH
   * @throws SupplyError; E_SUPPLY_WITHDRAWN with the versions on offer
   */
  async qemu(target: QemuTarget, wanted = 'newest'): Promise<QemuPart> {
    if (!isQemuVersion(wanted)) return await userQemu(target, wanted, this.#fetcher.options.signal);
    const qemu = await packagedQemu(this.#fetcher, target, wanted === 'newest' ? undefined : wanted);
    if (target === 'aarch64') qemu.firmware = (await this.firmware()).code;
    return qemu;
  }

  /** QEMU from packages for a host layer, where it runs, of that layer's own architecture. @throws SupplyError */
  async hostQemu(target: QemuTarget, version = 'newest'): Promise<QemuPart> {
    const query = version === 'newest' ? undefined : version;
    return await packagedQemu(this.#fetcher, target, query, target === 'aarch64' ? 'arm64' : 'amd64');
  }

  /** A kernel image, on request with modules and config. Throws E_SUPPLY_WITHDRAWN with the nearest versions. */
  async kernel(request: KernelRequest): Promise<KernelPart> {
    return await obtainKernel(this.#fetcher, request);
  }

  /** Kernels of the released suites, newest first; `development` adds sid and experimental (a larger index). */
  async kernelsOnOffer(
    arch: DebianArch,
    flavour: KernelFlavour = 'cloud',
    options: { development?: boolean } = {},
  ): Promise<KernelOffer[]> {
    return await offeredKernels(this.#fetcher, arch, flavour, options.development ?? false);
  }

  /** Versions of QEMU on offer, newest first. Reads the index of every suite that has one. */
  async qemusOnOffer(target: QemuTarget): Promise<Offer[]> {
    return await offeredQemus(this.#fetcher, target);
  }

  /** Versions of Xen on offer, newest first. */
  async xensOnOffer(): Promise<Offer[]> {
    const { offeredXens } = await import('./extras.ts');
    return await offeredXens(this.#fetcher);
  }

  /** The Xen hypervisor: a version (`4.20`, `4.17`) or the path of an uncompressed image. */
  async xen(version = '4.20'): Promise<XenPart> {
    const { obtainXen } = await import('./extras.ts');
    return await obtainXen(this.#fetcher, version);
  }

  /** UEFI code for arm64 machines; `override` is the path of the user's own. */
  async firmware(override?: string): Promise<FirmwarePart> {
    const { obtainFirmware } = await import('./extras.ts');
    return await obtainFirmware(this.#fetcher, override);
  }

  /** Node with koffi for a host layer: the reference VMM runs on it, and so does what a caller brings there. */
  async node(arch: DebianArch): Promise<NodePart> {
    const { obtainNode } = await import('./node.ts');
    return await obtainNode(this.#fetcher, arch);
  }

  /** kexec with its libraries, for the guest that loads a crash kernel. */
  async kexec(): Promise<GuestProgramPart> {
    const { obtainKexec } = await import('./kexec.ts');
    return await obtainKexec(this.#fetcher);
  }

  /** The tools of a dom0 with their libraries, for the Xen of this version. */
  async xenTools(version: string): Promise<GuestProgramPart> {
    const { obtainXenTools } = await import('./xen-tools.ts');
    return await obtainXenTools(this.#fetcher, version);
  }

  /** rasdaemon with its libraries, for the guest whose machine checks it is to decode beside ours. */
  async rasdaemon(): Promise<GuestProgramPart> {
    const { obtainRasdaemon } = await import('./rasdaemon.ts');
    return await obtainRasdaemon(this.#fetcher);
  }

  /** A static busybox for guests. */
  async busybox(arch: DebianArch): Promise<BusyboxPart> {
    const { obtainBusybox } = await import('./extras.ts');
    return await obtainBusybox(this.#fetcher, arch);
  }

  /** A compiler for static guest programs of this architecture, running on this machine. */
  async toolchain(arch: DebianArch): Promise<Toolchain> {
    return await obtainToolchain(this.#fetcher, arch);
  }

  /** What is in the cache; `verify` hashes every file. */
  async list(options: { verify?: boolean } = {}): Promise<CachedPart[]> {
    const { listParts } = await import('./inspect.ts');
    return await listParts(this.#fetcher, options);
  }

  /** Removes parts or package lists from the cache. */
  async clean(what: CleanWhat = 'all'): Promise<Cleaned> {
    const { cleanCache } = await import('./inspect.ts');
    return await cleanCache(this.#fetcher, what);
  }
}
