/**
 * @module What EDAC prints of other parts than memory modules: caches and on-chip memories (drivers/edac/edac_device.c), PCI
 * (edac_pci_sysfs.c), and the lines by which igen6_edac announces an error of in-band ECC.
 */
import type { KindFields } from '../../events/catalog.ts';
import { placed } from '../../registers/field.ts';
import type { ItemSink } from '../item.ts';
import { MAX_TEXT } from '../patterns.ts';
import { hexU64 } from '../transport/line.ts';
import type { KernelPart } from './kernel-part.ts';

/** Before 5.4 without a count; before 2.6.38 the name of the driver stands first. */
const DEVICE =
  /^EDAC DEVICE\d{1,3}: (?:(\S.{0,63}?) )?(CE|UE): (?:(\S.{0,63}?) )?instance: (\S.{0,63}?) block: (\S.{0,63}?)(?: count: (\d{1,9}))? '(.*)$/s;
const PCI =
  /^EDAC PCI: ((?:Bridge )?(?:Master Data Parity Error|Signaled System Error|Detected Parity Error)) on (\S{1,64})\s*$/;
const HANDLING = /^EDAC igen6 MC(\d{1,3}): HANDLING IBECC MEMORY ERROR\s*$/;
const ADDRESS = /^EDAC igen6 MC(\d{1,3}): ADDR (?:0x)?([0-9a-f]{1,16})\s*$/;
/** The address field of ECC_ERROR_LOG, bits 38:5, all ones. drivers/edac/igen6_edac.c. */
const ALL_ONES = placed(0x3_ffff_ffffn, 5);

export class EdacDeviceLines implements KernelPart {
  readonly #sink: ItemSink;
  /** Of in-band ECC, without its address yet. */
  #handling: { controller: number; lineNumber: number } | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** The first line of what is open; Infinity when nothing is. */
  get since(): number {
    return this.#handling?.lineNumber ?? Number.POSITIVE_INFINITY;
  }

  take(text: string, lineNumber: number, firstLine = lineNumber): boolean {
    if (!text.startsWith('EDAC ')) return false;
    const device = DEVICE.exec(text);
    if (device !== null) {
      this.end();
      this.#device(device, firstLine, lineNumber);
      return true;
    }
    const pci = PCI.exec(text);
    if (pci !== null) {
      this.end();
      const fields: KindFields<'pci-parity'> = { device: pci[2] ?? '', message: `${pci[1] ?? ''} on ${pci[2] ?? ''}` };
      this.#sink({ type: 'event', form: 'linux', name: 'pci-parity', fields, firstLine, lastLine: lineNumber });
      return true;
    }
    const handling = HANDLING.exec(text);
    if (handling !== null) {
      this.end();
      this.#handling = { controller: Number(handling[1]), lineNumber };
      return true;
    }
    const address = ADDRESS.exec(text);
    if (address === null || this.#handling?.controller !== Number(address[1])) return false;
    this.#ibecc(hexU64(address[2]), lineNumber);
    return true;
  }

  /** The address stands right behind. */
  skipped(): void {
    this.end();
  }

  end(): void {
    if (this.#handling !== undefined) this.#ibecc(undefined, this.#handling.lineNumber);
  }

  #device(m: RegExpExecArray, firstLine: number, lastLine: number): void {
    const [driver, instance, block] = [m[1] ?? m[3] ?? '', m[4] ?? '', m[5] ?? ''];
    const said = (m[7] ?? '').slice(0, MAX_TEXT).replace(/'\s*$/, '');
    const part = [driver, instance, block].filter(word => word !== '' && word !== 'N/A').join(' ');
    const fields: KindFields<'edac-device-corrected'> = {
      device: driver,
      instance,
      block,
      count: Number(m[6] ?? 1),
      message: `${said} (${part})`,
      label: part,
    };
    const name = m[2] === 'CE' ? 'edac-device-corrected' : 'edac-device-uncorrected';
    this.#sink({ type: 'event', form: 'linux', name, fields, firstLine, lastLine });
  }

  #ibecc(addr: bigint | undefined, lastLine: number): void {
    const open = this.#handling;
    this.#handling = undefined;
    if (open === undefined) return;
    const place = { form: 'linux', firstLine: open.lineNumber, lastLine } as const;
    const { controller } = open;
    if (addr === ALL_ONES) {
      this.#sink({ type: 'event', ...place, name: 'edac-ibecc-ones', fields: { controller } });
      return;
    }
    const fields = { controller, ...(addr === undefined || addr === 0n ? {} : { addr }) };
    this.#sink({ type: 'event', ...place, name: 'edac-ibecc', fields });
  }
}
