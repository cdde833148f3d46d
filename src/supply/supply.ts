import type { DebianArch } from './apt.ts';
import { Fetcher, type FetcherOptions } from './fetcher.ts';
import { type KernelPart, type KernelRequest, obtainKernel, offeredKernels } from './kernel.ts';
import type { KernelFlavour, KernelOffer } from './kernels.ts';
import { cacheRoot, openLayout } from './layout.ts';
import { packagedQemu, type QemuPart, type QemuTarget, userQemu } from './qemu.ts';

export interface SupplyOptions extends FetcherOptions {
  /** Folder of the cache; else SYNDROME_CACHE, XDG_CACHE_HOME/syndrome, ~/.cache/syndrome. */
  cacheDir?: string | undefined;
}

export class Supply {
  readonly #fetcher: Fetcher;

  private constructor(fetcher: Fetcher) {
    this.#fetcher = fetcher;
  }

  static async open(options: SupplyOptions = {}): Promise<Supply> {
    return new Supply(new Fetcher(openLayout(cacheRoot(options.cacheDir)), options));
  }

  get cacheDir(): string {
    return this.#fetcher.store.layout.root;
  }

  async qemu(target: QemuTarget, override?: string): Promise<QemuPart> {
    if (override) return await userQemu(target, override, this.#fetcher.options.signal);
    return await packagedQemu(this.#fetcher, target);
  }

  async kernel(request: KernelRequest): Promise<KernelPart> {
    return await obtainKernel(this.#fetcher, request);
  }

  async kernelsOnOffer(
    arch: DebianArch,
    flavour: KernelFlavour = 'cloud',
    options: { development?: boolean } = {},
  ): Promise<KernelOffer[]> {
    return await offeredKernels(this.#fetcher, arch, flavour, options.development ?? false);
  }
}
