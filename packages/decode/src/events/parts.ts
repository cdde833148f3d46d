/** @module What drivers of Linux say of parts other than memory modules: caches, on-chip memories with ECC, PCI. */
import { row } from './row.ts';

const DEVICE_FIELDS = 'device:string instance:string block:string count:number message:string label:string';
const DEVICE_TEXT =
  'It is a cache, an on-chip memory or another part with ECC, no memory module: the text names the driver, the instance and the block in it.';

const PCIE_FIELDS = 'device:string message:string header?:string count?:number';
const PCIE_TEXT =
  'Advanced error reporting (AER) of a PCIe device, as Linux prints it, as trace event or from rasdaemon.';

/** Names without a layer. */
export const PARTS = {
  'edac-device-corrected': row(DEVICE_FIELDS, 'A driver of a part with ECC reports a corrected error.', {
    severity: 'corrected',
    record: {
      reporter: 'driver',
      headline: 'Driver of a part with ECC: corrected error',
      explanation: `The hardware repaired it. ${DEVICE_TEXT}`,
      next: 'Count them by instance and block; many from one mean that the chip wears out.',
    },
  }),
  'edac-device-uncorrected': row(DEVICE_FIELDS, 'A driver of a part with ECC reports an uncorrected error.', {
    severity: 'uncorrected',
    record: {
      reporter: 'driver',
      headline: 'Driver of a part with ECC: uncorrected error',
      explanation: `Data was lost. ${DEVICE_TEXT}`,
      next: 'Look what used it at that moment; when it comes again, the chip has to be replaced.',
    },
  }),
  'edac-ibecc': row(
    'controller:number addr?:address',
    'The driver of a memory controller with in-band ECC handles an error.',
    {
      severity: 'info',
      record: {
        reporter: 'kernel',
        headline: 'The driver of in-band ECC begins to handle an error (igen6_edac)',
        explanation:
          'The line only announces it: whether it was corrected, and where, says the line `EDAC MC…: 1 CE` or `1 UE` behind it.',
        next: 'Look for that line. Without one nothing was reported.',
      },
    },
  ),
  'edac-ibecc-ones': row(
    'controller:number',
    'The driver of a memory controller with in-band ECC read a register of all ones.',
    {
      severity: 'info',
      record: {
        reporter: 'kernel',
        headline: 'No error: the driver of in-band ECC read a register of all ones (igen6_edac)',
        explanation:
          '0x7fffffffe0 is what the address field of ECC_ERROR_LOG holds when the register reads as all ones (bits 38:5). Some SoCs answer so, mostly while the driver starts; it is no address and no error. Linux since 6.16, and stable kernels of 2025, leave such a value out.',
        next: 'Nothing to do for the memory; a newer kernel ends the message.',
      },
    },
  ),
  'pci-parity': row(
    'device:string message:string',
    'A PCI device or bridge has a parity or system error in its status.',
    {
      severity: 'unknown',
      record: {
        reporter: 'device',
        headline: 'PCI: parity or system error in the status of a device',
        explanation:
          'EDAC polls the PCI status registers. Many devices set these bits although nothing is wrong, so one line proves little. This is no error of memory.',
        next: 'Look whether one device repeats it, and at its slot; check_pci_errors of edac_core turns the polling off.',
      },
    },
  ),
  'pcie-corrected': row(PCIE_FIELDS, PCIE_TEXT, {
    severity: 'corrected',
    record: {
      reporter: 'device',
      headline: 'PCIe: corrected error',
      explanation: 'The link or the device repaired it: this is no error of memory.',
      next: 'Count them by device; many mean a bad slot, cable or card.',
    },
  }),
  'pcie-uncorrected': row(PCIE_FIELDS, PCIE_TEXT, {
    severity: 'uncorrected',
    record: {
      reporter: 'device',
      headline: 'PCIe: uncorrected error, not fatal to the link',
      explanation: 'A transaction was lost; the link goes on. This is no error of memory.',
      next: 'Look whether the driver of the device recovered; look at the device and its slot.',
    },
  }),
  'pcie-fatal': row(PCIE_FIELDS, PCIE_TEXT, {
    severity: 'fatal',
    record: {
      reporter: 'device',
      headline: 'PCIe: fatal error',
      explanation: 'The link can no longer be trusted. This is no error of memory.',
      next: 'Look at the device and its slot; the link has to be reset.',
    },
  }),
  'pcie-recovered': row('device:string', 'The drivers behind a port went on after an uncorrected error.', {
    record: {
      reporter: 'kernel',
      of: () => 'device',
      headline: 'PCIe: Linux recovered the devices behind a port',
      explanation: 'Their drivers took part in the recovery (pcie_do_recovery()), and work again.',
      next: 'Look at the device and its slot when it comes again.',
    },
  }),
  'pcie-not-recovered': row(
    'device:string message:string',
    'A driver behind a port could not go on after an uncorrected error.',
    {
      severity: 'uncorrected',
      record: {
        reporter: 'kernel',
        of: () => 'device',
        headline: 'PCIe: a device was not recovered from an error',
        explanation:
          'All drivers behind the port have to take part in the recovery; one without callbacks for it (`no error_detected callback`) makes it fail, and the device may no longer work.',
        next: 'Reset the device or restart the machine; look at the device and its slot.',
      },
    },
  ),
};
