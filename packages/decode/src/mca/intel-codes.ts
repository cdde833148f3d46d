/**
 * @module Model-specific error codes (MCi_STATUS[31:16]) of Intel servers, by unit. Source: SDM vol. 3B
 * "Interpreting Machine-Check Error Codes", sections for 06_2DH, 06_3EH, 06_3FH, 06_4FH, 06_56H, 06_55H, 06_6AH and
 * 06_6CH, 06_8FH; the codes of 06_86H, 06_ADH and 06_AEH as Intel published them with its open decoders. Upper-case names
 * are the manual's own; other words are ours.
 */

/** Value of a sub-field → what it says. */
export type MscodValues = Readonly<Record<number, string>>;

/** A part of the model-specific code: bits of MCi_STATUS read as one number, or each as a flag. */
export interface MscodPart {
  hi: number;
  lo: number;
  /** The part is one number; 0 says nothing unless it is listed. */
  values?: MscodValues;
  /** Each bit (of MCi_STATUS) is a statement of its own. */
  flags?: MscodValues;
  /** Values without a text say nothing (the part belongs to another table). */
  listed?: true;
  /** The part is read only in records like this. */
  when?: { hi: number; lo: number; values: readonly number[]; not?: true };
}

const numbered = (names: readonly string[], first: number): MscodValues =>
  Object.fromEntries(names.map((name, i) => [first + i, name]));

/** Power control unit, 06_2DH and 06_3EH, status bits 19:16: SDM "Machine Check Error Codes for IA32_MC4_STATUS". */
export const PCU_SNB_CONTROLLER: MscodValues = numbered(
  [
    'Non_IMem_Sel',
    'I_Parity_Error',
    'Bad_OpCode',
    'I_Stack_Underflow',
    'I_Stack_Overflow',
    'D_Stack_Underflow',
    'D_Stack_Overflow',
    'Non_DMem_Sel',
    'D_Parity_Error',
  ],
  1,
);
/** The same, status bits 31:24. */
export const PCU_SNB: MscodValues = {
  0x0d: 'MC_IMC_FORCE_SR_S3_TIMEOUT',
  0x0e: 'MC_CPD_UNCPD_ST_TIMEOUT',
  0x0f: 'MC_PKGS_SAFE_WP_TIMEOUT',
  0x43: 'MC_PECI_MAILBOX_QUIESCE_TIMEOUT',
  0x5c: 'MC_MORE_THAN_ONE_LT_AGENT',
  0x60: 'MC_INVALID_PKGS_REQ_PCH',
  0x61: 'MC_INVALID_PKGS_REQ_QPI',
  0x62: 'MC_INVALID_PKGS_RES_QPI',
  0x63: 'MC_INVALID_PKGC_RES_PCH',
  0x64: 'MC_INVALID_PKG_STATE_CONFIG',
  0x70: 'MC_WATCHDG_TIMEOUT_PKGC_SECONDARY',
  0x71: 'MC_WATCHDG_TIMEOUT_PKGC_MAIN',
  0x72: 'MC_WATCHDG_TIMEOUT_PKGS_MAIN',
  0x7a: 'MC_HA_FAILSTS_CHANGE_DETECTED',
  0x81: 'MC_RECOVERABLE_DIE_THERMAL_TOO_HOT',
};
export const PCU_IVB: MscodValues = {
  ...PCU_SNB,
  0x44: 'MC_CRITICAL_VR_FAILED',
  0x45: 'MC_ICC_MAX_NOTSUPPORTED',
  0x7b: 'MC_PCIE_R2PCIE_RW_BLOCK_ACK_TIMEOUT',
};

/** Power control unit, 06_3FH and 06_4FH, status bits 31:24. */
export const PCU_HSW: MscodValues = {
  0x09: 'MC_MESSAGE_CHANNEL_TIMEOUT',
  0x0d: 'MC_IMC_FORCE_SR_S3_TIMEOUT',
  0x0e: 'MC_CPD_UNCPD_SD_TIMEOUT',
  0x13: 'MC_DMI_TRAINING_TIMEOUT',
  0x15: 'MC_DMI_CPU_RESET_ACK_TIMEOUT',
  0x1e: 'MC_VR_ICC_MAX_LT_FUSED_ICC_MAX',
  0x25: 'MC_SVID_COMMAND_TIMEOUT',
  0x29: 'MC_VR_VOUT_MAC_LT_FUSED_SVID',
  0x2b: 'MC_PKGC_WATCHDOG_HANG_CBZ_DOWN',
  0x2c: 'MC_PKGC_WATCHDOG_HANG_CBZ_UP',
  0x39: 'MC_PKGC_WATCHDOG_HANG_C3_UP_SF',
  0x44: 'MC_CRITICAL_VR_FAILED',
  0x45: 'MC_ICC_MAX_NOTSUPPORTED',
  0x46: 'MC_VID_RAMP_DOWN_FAILED',
  0x47: 'MC_EXCL_MODE_NO_PMREQ_CMP',
  0x48: 'MC_SVID_READ_REG_ICC_MAX_FAILED',
  0x49: 'MC_SVID_WRITE_REG_VOUT_MAX_FAILED',
  0x4b: 'MC_BOOT_VID_TIMEOUT_DRAM_0',
  0x4c: 'MC_BOOT_VID_TIMEOUT_DRAM_1',
  0x4d: 'MC_BOOT_VID_TIMEOUT_DRAM_2',
  0x4e: 'MC_BOOT_VID_TIMEOUT_DRAM_3',
  0x4f: 'MC_SVID_COMMAND_ERROR',
  0x52: 'MC_FIVR_CATAS_OVERVOL_FAULT',
  0x53: 'MC_FIVR_CATAS_OVERCUR_FAULT',
  0x57: 'MC_SVID_PKGC_REQUEST_FAILED',
  0x58: 'MC_SVID_IMON_REQUEST_FAILED',
  0x59: 'MC_SVID_ALERT_REQUEST_FAILED',
  0x60: 'MC_INVALID_PKGS_REQ_PCH',
  0x61: 'MC_INVALID_PKGS_REQ_QPI',
  0x62: 'MC_INVALID_PKGS_RSP_QPI',
  0x63: 'MC_INVALID_PKGS_RSP_PCH',
  0x64: 'MC_INVALID_PKG_STATE_CONFIG',
  0x67: 'MC_HA_IMC_RW_BLOCK_ACK_TIMEOUT',
  0x68: 'MC_IMC_RW_SMBUS_TIMEOUT',
  0x69: 'MC_HA_FAILSTS_CHANGE_DETECTED',
  0x6a: 'MC_MSGCH_PMREQ_CMP_TIMEOUT',
  0x70: 'MC_WATCHDOG_TIMEOUT_PKGC_SECONDARY',
  0x71: 'MC_WATCHDOG_TIMEOUT_PKGC_MAIN',
  0x72: 'MC_WATCHDOG_TIMEOUT_PKGS_MAIN',
  0x7c: 'MC_BIOS_RST_CPL_INVALID_SEQ',
  0x7d: 'MC_MORE_THAN_ONE_TXT_AGENT',
  0x81: 'MC_RECOVERABLE_DIE_THERMAL_TOO_HOT',
};
/** The same of 06_56H. */
export const PCU_BDW_DE: MscodValues = { ...PCU_HSW, 0x26: 'MCA_PKGC_DIRECT_WAKE_RING_TIMEOUT' };

/** QuickPath Interconnect, 06_3FH and 06_4FH, status bits 31:16 as one number. */
export const QPI_HSW: MscodValues = {
  0x02: 'drift buffer alarm in the physical layer',
  0x03: 'latency buffer rollover in the physical layer',
  0x10: 'control error from the ring interface (R3QPI)',
  0x11: 'CRC error, link level retry was given up',
  0x12: 'unsupported or unknown packet',
  0x13: 'control error of the link layer',
  0x15: 'a value that was never initialised was used (RBT)',
  0x20: 'in-band reset of the physical layer, the initialisation was aborted',
  0x21: 'data lanes failed over, the link healed itself',
  0x22: 'in-band reset of the physical layer, the width is as before',
  0x23: 'the clock failed over',
  0x30: 'CRC error, link level retry succeeded after a reinitialisation',
  0x31: 'CRC error, link level retry succeeded',
};

/** Memory controller, 06_1AH, status bits 24:16 as flags. */
export const IMC_NHM: MscodValues = {
  16: 'ECC error of a read',
  17: 'ECC error found by the scrubber',
  18: 'write parity error',
  19: 'redundancy was lost: an error in one half of redundant memory',
  21: 'an address outside the memory',
  22: 'a request number (RTID) out of range',
  23: 'address parity error',
  24: 'byte enable parity error',
};

/** Memory controller, 06_2DH, status bits 22:16 as flags. */
export const IMC_SNB: MscodValues = {
  16: 'address parity error',
  17: 'write data parity error from the home agent',
  18: 'write byte enable parity error from the home agent',
  19: 'corrected patrol scrub error',
  20: 'uncorrected patrol scrub error',
  21: 'corrected spare error',
  22: 'uncorrected spare error',
};
/** The same of 06_3EH and 06_56H, status bits 24:16. */
export const IMC_IVB: MscodValues = {
  ...IMC_SNB,
  23: 'corrected read error',
  24: 'write data buffer parity error',
};
/** The same of 06_3FH and 06_4FH, status bits 25:16. */
export const IMC_HSW: MscodValues = { ...IMC_IVB, 25: 'DDR4 command or address parity error' };

/** Power control unit, 06_55H: SDM "Machine Check Error Codes for IA32_MC4_STATUS". */
export const PCU_SKX: MscodValues = {
  0x0d: 'MCA_DMI_TRAINING_TIMEOUT',
  0x0f: 'MCA_DMI_CPU_RESET_ACK_TIMEOUT',
  0x10: 'MCA_MORE_THAN_ONE_LT_AGENT',
  0x1e: 'MCA_BIOS_RST_CPL_INVALID_SEQ',
  0x1f: 'MCA_BIOS_INVALID_PKG_STATE_CONFIG',
  0x25: 'MCA_MESSAGE_CHANNEL_TIMEOUT',
  0x27: 'MCA_MSGCH_PMREQ_CMP_TIMEOUT',
  0x30: 'MCA_PKGC_DIRECT_WAKE_RING_TIMEOUT',
  0x31: 'MCA_PKGC_INVALID_RSP_PCH',
  0x33: 'MCA_PKGC_WATCHDOG_HANG_CBZ_DOWN',
  0x34: 'MCA_PKGC_WATCHDOG_HANG_CBZ_UP',
  0x38: 'MCA_PKGC_WATCHDOG_HANG_C3_UP_SF',
  0x40: 'MCA_SVID_VCCIN_VR_ICC_MAX_FAILURE',
  0x41: 'MCA_SVID_COMMAND_TIMEOUT',
  0x42: 'MCA_SVID_VCCIN_VR_VOUT_MAX_FAILURE',
  0x43: 'MCA_SVID_CPU_VR_CAPABILITY_ERROR',
  0x44: 'MCA_SVID_CRITICAL_VR_FAILED',
  0x45: 'MCA_SVID_SA_ITD_ERROR',
  0x46: 'MCA_SVID_READ_REG_FAILED',
  0x47: 'MCA_SVID_WRITE_REG_FAILED',
  0x48: 'MCA_SVID_PKGC_INIT_FAILED',
  0x49: 'MCA_SVID_PKGC_CONFIG_FAILED',
  0x4a: 'MCA_SVID_PKGC_REQUEST_FAILED',
  0x4b: 'MCA_SVID_IMON_REQUEST_FAILED',
  0x4c: 'MCA_SVID_ALERT_REQUEST_FAILED',
  0x4d: 'MCA_SVID_MCP_VP_ABSENT_OR_RAMP_ERROR',
  0x4e: 'MCA_SVID_UNEXPECTED_MCP_VP_DETECTED',
  0x51: 'MCA_FIVR_CATAS_OVERVOL_FAULT',
  0x52: 'MCA_FIVR_CATAS_OVERCUR_FAULT',
  0x58: 'MCA_WATCHDG_TIMEOUT_PKGC_SLAVE',
  0x59: 'MCA_WATCHDG_TIMEOUT_PKGC_MASTER',
  0x5a: 'MCA_WATCHDG_TIMEOUT_PKGS_MASTER',
  0x61: 'MCA_PKGS_CPD_UNPCD_TIMEOUT',
  0x63: 'MCA_PKGS_INVALID_REQ_PCH',
  0x64: 'MCA_PKGS_INVALID_REQ_INTERNAL',
  0x65: 'MCA_PKGS_INVALID_RSP_INTERNAL',
  0x6b: 'MCA_PKGS_SMBUS_VPP_PAUSE_TIMEOUT',
  0x81: 'MC_RECOVERABLE_DIE_THERMAL_TOO_HOT',
};

/** Power control unit, 06_55H, status bits 19:16. */
export const PCU_SKX_INTERNAL: MscodValues = {
  0x1: 'internal error of the unit',
  0x2: 'internal error of the unit',
  0x3: 'internal error of the unit',
};

/** MCACOD of bank 4, 06_55H. */
export const PCU_SKX_MCACOD: MscodValues = {
  0x402: 'internal error of the unit',
  0x403: 'internal error of the unit',
  0x406: 'Intel TXT error',
  0x407: 'internal error of the UBOX, or a core that stopped retiring (its bank 3 is copied here)',
};

/** Power control unit, 06_6AH, 06_6CH and 06_8FH. */
export const PCU_ICX: MscodValues = {
  0x0d: 'MCA_LLC_BIST_ACTIVE_TIMEOUT',
  0x0e: 'MCA_DMI_TRAINING_TIMEOUT',
  0x0f: 'MCA_DMI_STRAP_SET_ARRIVAL_TIMEOUT',
  0x10: 'MCA_DMI_CPU_RESET_ACK_TIMEOUT',
  0x11: 'MCA_MORE_THAN_ONE_LT_AGENT',
  0x14: 'MCA_INCOMPATIBLE_PCH_TYPE',
  0x1e: 'MCA_BIOS_RST_CPL_INVALID_SEQ',
  0x1f: 'MCA_BIOS_INVALID_PKG_STATE_CONFIG',
  0x2d: 'MCA_PCU_PMAX_CALIB_ERROR',
  0x2e: 'MCA_TSC100_SYNC_TIMEOUT',
  0x3a: 'MCA_GPSB_TIMEOUT',
  0x3b: 'MCA_PMSB_TIMEOUT',
  0x3e: 'MCA_IOSFSB_PMREQ_CMP_TIMEOUT',
  0x40: 'MCA_SVID_VCCIN_VR_ICC_MAX_FAILURE',
  0x42: 'MCA_SVID_VCCIN_VR_VOUT_FAILURE',
  0x43: 'MCA_SVID_CPU_VR_CAPABILITY_ERROR',
  0x44: 'MCA_SVID_CRITICAL_VR_FAILED',
  0x45: 'MCA_SVID_SA_ITD_ERROR',
  0x46: 'MCA_SVID_READ_REG_FAILED',
  0x47: 'MCA_SVID_WRITE_REG_FAILED',
  0x4a: 'MCA_SVID_PKGC_REQUEST_FAILED',
  0x4b: 'MCA_SVID_IMON_REQUEST_FAILED',
  0x4c: 'MCA_SVID_ALERT_REQUEST_FAILED',
  0x4d: 'MCA_SVID_MCP_VR_RAMP_ERROR',
  0x56: 'MCA_FIVR_PD_HARDERR',
  0x58: 'MCA_WATCHDOG_TIMEOUT_PKGC_SECONDARY',
  0x59: 'MCA_WATCHDOG_TIMEOUT_PKGC_MAIN',
  0x5a: 'MCA_WATCHDOG_TIMEOUT_PKGS_MAIN',
  0x5b: 'MCA_WATCHDOG_TIMEOUT_MSG_CH_FSM',
  0x5c: 'MCA_WATCHDOG_TIMEOUT_BULK_CR_FSM',
  0x5d: 'MCA_WATCHDOG_TIMEOUT_IOSFSB_FSM',
  0x60: 'MCA_PKGS_SAFE_WP_TIMEOUT',
  0x61: 'MCA_PKGS_CPD_UNCPD_TIMEOUT',
  0x62: 'MCA_PKGS_INVALID_REQ_PCH',
  0x63: 'MCA_PKGS_INVALID_REQ_INTERNAL',
  0x64: 'MCA_PKGS_INVALID_RSP_INTERNAL',
  ...numbered(
    Array.from({ length: 0x7a - 0x65 + 1 }, () => 'MCA_PKGS_RESET_PREP_TIMEOUT'),
    0x65,
  ),
  0x7b: 'MCA_PKGS_SMBUS_VPP_PAUSE_TIMEOUT',
  0x7c: 'MCA_PKGS_SMBUS_MCP_PAUSE_TIMEOUT',
  0x7d: 'MCA_PKGS_SMBUS_SPD_PAUSE_TIMEOUT',
  0x80: 'MCA_PKGC_DISP_BUSY_TIMEOUT',
  0x81: 'MCA_PKGC_INVALID_RSP_PCH',
  0x83: 'MCA_PKGC_WATCHDOG_HANG_CBZ_DOWN',
  0x84: 'MCA_PKGC_WATCHDOG_HANG_CBZ_UP',
  0x87: 'MCA_PKGC_WATCHDOG_HANG_C2_BLKMASTER',
  0x88: 'MCA_PKGC_WATCHDOG_HANG_C2_PSLIMIT',
  0x89: 'MCA_PKGC_WATCHDOG_HANG_SETDISP',
  0x8b: 'MCA_PKGC_ALLOW_L1_ERROR',
  0x90: 'MCA_RECOVERABLE_DIE_THERMAL_TOO_HOT',
  0xa0: 'MCA_ADR_SIGNAL_TIMEOUT',
  0xa1: 'MCA_BCLK_FREQ_OC_ABOVE_THRESHOLD',
  0xb0: 'MCA_DISPATCHER_RUN_BUSY_TIMEOUT',
};

/** 06_8FH has one more. */
export const PCU_SPR: MscodValues = { ...PCU_ICX, 0xc0: 'MCA_DISPATCHER_RUN_BUSY_TIMEOUT' };

/** Hardware errors of the power control unit, status bits 23:20. */
export const PCU_HARDWARE: MscodValues = {
  0x4: 'a clock or power block does not answer',
  0x5: 'the SMBus controller raised an SMI',
  0x9: 'invalid transaction at the power management controller',
};

/** Errors of the power control microcontroller, status bits 19:16. */
export const PCU_CONTROLLER: MscodValues = {
  0x1: 'instruction address outside the valid space',
  0x2: 'double bit error on an instruction fetch',
  0x3: 'invalid instruction',
  0x4: 'stack underflow',
  0x5: 'stack overflow',
  0x6: 'data address outside the valid space',
  0x7: 'double bit error on a data access',
};

/** Status bits 19:16 with MCACOD 0x40c (shutdown), 06_8FH. */
export const SHUTDOWN: MscodValues = {
  0x1: 'machine check while CR4.MCE was clear',
  0x2: 'machine check while MCIP was set',
  0x3: 'machine check while waiting for start-up',
  0x4: 'unrecoverable error in a security flow',
  0x5: 'triple fault of the software',
  0x6: 'the consistency check of a VM exit failed',
  0x7: 'the consistency check of a resume from SMM failed',
  0x8: 'invalid conditions at the entry to SMM',
  0x9: 'unrecoverable error in a security flow',
};

/** Ultra Path Interconnect, status bits 21:16. */
export const UPI: MscodValues = {
  0x00: 'the physical layer could not be initialised (uncorrected)',
  0x01: 'drift buffer alarm in the physical layer (uncorrected)',
  0x02: 'latency buffer rollover in the physical layer (uncorrected)',
  0x10: 'CRC error, link level retry failed (uncorrected)',
  0x11: 'unsupported or unknown packet (uncorrected)',
  0x12: 'control error of the link or physical layer (uncorrected)',
  0x13: 'exception in the parameter exchange (uncorrected)',
  0x1f: 'control error from the link to mesh interface (uncorrected)',
  0x20: 'the initialisation of the physical layer was aborted (corrected)',
  0x21: 'the physical layer was reset (corrected)',
  0x22: 'a lane failed, the link goes on at width x8 (corrected)',
  0x23: 'L0c error, corrected without a reset (corrected)',
  0x24: 'L0c error that caused a reset (corrected)',
  0x25: 'L0p exit error, corrected by a reset (corrected)',
  0x30: 'CRC error, link level retry succeeded (corrected)',
  0x31: 'CRC error, link level retry succeeded after a reinitialisation (corrected)',
};
export const UPI_ICX: MscodValues = { ...UPI, 0x32: 'a link level retry was received' };
export const UPI_SPR: MscodValues = { ...UPI, 0x15: 'SGX message authentication error (uncorrected)' };
export const UPI_GNR: MscodValues = {
  ...UPI,
  0x14: 'TDX failure (uncorrected)',
  0x15: 'SGX failure (uncorrected)',
  0x16: 'parity error on transmit (uncorrected)',
  0x17: 'parity error on receive (uncorrected)',
  0x18: 'FLE failure (uncorrected)',
};

/** Details of UPI code 0x12, status bits 31:22. */
export const UPI_CONTROL: MscodValues = {
  22: 'physical layer control error',
  23: 'unexpected retry acknowledge',
  24: 'unexpected retry request',
  25: 'register file parity error',
  26: 'routeback table error',
  27: 'unexpected protocol flit on transmit',
  28: 'credit overflow or underflow',
  29: 'link layer reset still running when the physical layer was up',
  30: 'link layer reset while traffic was not idle',
  31: 'parity error of the link layer on transmit',
};

/** Mesh to memory, 06_55H, 06_6AH and 06_6CH, status bits 23:16. */
export const M2M_FLAGS: MscodValues = {
  16: 'read data error from the memory controller',
  18: 'partial write data error',
  19: 'full write data error',
  20: 'clock crossing buffer error',
  21: 'timeout',
  22: 'tracker parity error',
  23: 'fatal "bucket 1" error',
};

/** The memory that such an error is of, status bits 25:24; 0 says nothing. */
export const M2M_DDR_TYPE: MscodValues = {
  0x1: 'in DDR4 memory',
  0x2: 'in persistent memory (DDR-T)',
  0x3: 'in DDR4 and in persistent memory (DDR-T)',
};

/** Mesh to memory, 06_8FH, status bits 23:16 as a number. */
export const M2M_SPR: MscodValues = {
  0x01: 'read ECC error',
  0x02: 'fatal "bucket 1" error',
  0x03: 'read tracker parity error',
  0x05: 'prefetch channel mismatch',
  0x07: 'read completion parity error',
  0x08: 'response parity error',
  0x09: 'timeout',
  0x0a: 'reserved credit pool error',
  0x0b: 'total credit count error',
  0x0c: 'credit oversubscription',
};

/** Bridge from the mesh to the memory controller, 06_ADH and 06_AEH. */
export const B2CMI: MscodValues = {
  0x01: 'read ECC error',
  0x02: 'fatal "bucket 1" error',
  0x03: 'tracker parity error',
  0x04: 'security mismatch',
  0x07: 'read completion parity error',
  0x08: 'response parity error',
  0x09: 'timeout',
  0x0a: 'address parity error',
  0x0c: 'credit oversubscription',
  0x0d: 'access rights mismatch (SAI)',
};

/** Memory controller, 06_55H, status bits 26:16 as flags. */
export const IMC_SKX_FLAGS: MscodValues = {
  16: 'address parity error',
  17: 'write data parity error from the home agent',
  18: 'write byte enable parity error from the home agent',
  19: 'corrected patrol scrub error',
  20: 'uncorrected patrol scrub error',
  21: 'corrected spare error',
  22: 'uncorrected spare error',
  23: 'read error seen by the home agent',
  24: 'write data buffer parity error',
  25: 'DDR4 command or address parity error',
  26: 'uncorrected address parity error',
};

/** Memory controller, 06_55H, status bits 23:16 when bit 27 is set (persistent memory, DDR-T). */
export const IMC_SKX_DDRT: MscodValues = {
  0x00: 'unrecognised request type',
  0x01: 'read response to an invalid scoreboard entry',
  0x02: 'unexpected read response',
  0x03: 'DDR4 completion to an invalid scoreboard entry',
  0x04: 'completion to an invalid scoreboard entry',
  0x05: 'completion queue overflow',
  0x06: 'correctable parity error',
  0x07: 'uncorrectable error',
  0x08: 'an interrupt came while another was pending',
  0x09: 'ERID queue overflow',
  0x0a: 'write credit error',
  0x0b: 'read credit error',
  0x0c: 'scheduler error',
  0x0d: 'error event',
};

/** Memory controller, 06_6AH and later: status bits 23:16 when bits 31:24 are 0. */
export const IMC_ICX_0: MscodValues = {
  0x01: 'address parity error',
  0x02: 'data parity error',
  0x03: 'data ECC error',
  0x04: 'byte enable parity error',
  0x05: 'uncorrectable data was received',
  0x06: 'uncorrectable metadata was received',
  0x07: 'transaction id parity error',
  0x08: 'corrected patrol scrub error',
  0x10: 'uncorrected patrol scrub error',
  0x20: 'corrected spare error',
  0x40: 'uncorrected spare error',
  0x80: 'corrected read error',
  0xa0: 'uncorrected read error',
  0xc0: 'uncorrected metadata',
};
export const IMC_ICX_1: MscodValues = {
  0x00: 'write data buffer parity error',
  0x03: 'RPA parity error',
  0x04: 'RPA parity error',
  0x05: 'WPA parity error',
  0x06: 'DDR-T byte enable error',
  0x07: 'DDR-T data error',
  0x08: 'the DDR link failed',
  0x11: 'PCLS match error',
  0x12: 'PCLS data error',
};
export const IMC_ICX_2: MscodValues = {
  0x00: 'DDR4 command or address parity error',
  0x20: 'HBM command or address parity error',
  0x21: 'HBM data parity error',
};
export const IMC_ICX_4: MscodValues = {
  0x00: 'read queue parity error (primary)',
  0x01: 'read queue parity error (buddy)',
  0x04: 'write queue parity error (primary)',
  0x05: 'write queue parity error (buddy)',
  0x08: 'read buffer parity error (primary)',
  0x09: 'read buffer parity error (buddy)',
};
export const IMC_ICX_8: MscodValues = numbered(
  [
    'bad DDR-T request',
    'data response to an invalid entry',
    'data response to an entry that expects none',
    'completion to an invalid entry',
    'DDR-T completion to an invalid entry',
    'data or completion queue overflow',
    'DDR-T ERID, correctable parity error',
    'DDR-T ERID, uncorrectable error',
    'a DDR-T interrupt came while another was pending',
    'ERID queue overflow',
    'DDR-T write credit error',
    'DDR-T read credit error',
    'DDR-T scheduler error',
    'DDR-T error event',
    'DDR-T thermal event',
    'packet while the fabric port was idle',
    'DDR_T_RPQ_REQ_PARITY_ERR',
    'DDR_T_WPQ_REQ_PARITY_ERR',
    '2LM_NMFILLWR_CAM_ERR',
    'CMI_CREDIT_OVERSUB_ERR',
    'CMI_CREDIT_TOTAL_ERR',
    'CMI_CREDIT_RSVD_POOL_ERR',
    'DDR_T_RD_ERROR',
    'WDB_FIFO_ERR',
    'CMI_REQ_FIFO_OVERFLOW',
    'CMI_REQ_FIFO_UNDERFLOW',
    'CMI_RSP_FIFO_OVERFLOW',
    'CMI_RSP_FIFO_UNDERFLOW',
    'CMI_MISC_MC_CRDT_ERRORS',
    'CMI_MISC_MC_ARB_ERRORS',
    'DDR_T_WR_CMPL_FIFO_OVERFLOW',
    'DDR_T_WR_CMPL_FIFO_UNDERFLOW',
    'CMI_RD_CPL_FIFO_OVERFLOW',
    'CMI_RD_CPL_FIFO_UNDERFLOW',
    'TME_KEY_PAR_ERR',
    'TME_CMI_MISC_ERR',
    'TME_CMI_OVFL_ERR',
    'TME_CMI_UFL_ERR',
    'TME_TEM_SECURE_ERR',
    'TME_UFILL_PAR_ERR',
  ],
  0,
);

/** The same of 06_8FH. */
export const IMC_SPR_0: MscodValues = Object.fromEntries(
  Object.entries(IMC_ICX_0).filter(([code]) => code !== '5' && code !== '6'),
);
export const IMC_SPR_1: MscodValues = { 0x00: 'write data buffer parity error', 0x08: 'the DDR link failed' };
export const IMC_SPR_2: MscodValues = { 0x00: 'DDR5 command or address parity error' };
export const IMC_SPR_4: MscodValues = { 0x00: 'read queue parity error (primary)' };
export const IMC_SPR_8: MscodValues = {
  ...IMC_ICX_8,
  0x29: 'INTERNAL_ERR',
  0x2a: 'TME_INTEGRITY_ERR',
  0x2b: 'TME_TDX_ERR',
  0x2c: 'TME_UFILL_TEM_SECURE_ERR',
  0x2d: 'TME_KEY_POISON_ERR',
  0x2e: 'TME_SECURITY_ENGINE_ERR',
};
/** The second copy of mirrored memory. */
export const IMC_SPR_10: MscodValues = {
  0x08: 'corrected patrol scrub error, second mirror',
  0x10: 'uncorrected patrol scrub error, second mirror',
  0x20: 'corrected spare error, second mirror',
  0x40: 'uncorrected spare error, second mirror',
  0x80: 'corrected read error, second mirror',
  0xa0: 'uncorrected read error, second mirror',
};

/** Memory channel, 06_ADH and 06_AEH: status bits 23:16 by bits 31:24. */
export const MCCHAN_0: MscodValues = {
  0x01: 'address parity error',
  0x02: 'write data parity error, sub-channel 0',
  0x03: 'write data ECC error, sub-channel 0',
  0x04: 'write byte enable parity error, sub-channel 0',
  0x05: 'write authentication code parity error, sub-channel 0',
  0x08: 'corrected patrol scrub error',
  0x10: 'uncorrected patrol scrub error',
  0x20: 'corrected spare error',
  0x40: 'uncorrected spare error',
  0x80: 'transient or corrected error of a demand or fill read',
  0xa0: 'uncorrectable error of a demand or fill read',
  0xb0: 'poison was read from memory while poison was disabled in the controller',
  0xc0: 'error in the metadata of memory used as a cache',
};
export const MCCHAN_1: MscodValues = {
  0x00: 'write data buffer parity error, sub-channel 0',
  0x02: 'write data buffer ECC error, sub-channel 0',
  0x04: 'write data buffer byte enable parity error, sub-channel 0',
  0x06: 'write data buffer, persistent corrected ECC error, sub-channel 0',
  0x08: 'the DDR link failed',
  0x09: 'illegal request',
};
export const MCCHAN_2: MscodValues = { 0x00: 'DDR command or address parity error, or write CRC error' };
export const MCCHAN_4: MscodValues = { 0x00: 'scheduler address parity error' };
export const MCCHAN_8: MscodValues = {
  0x32: 'internal error of the controller',
  0x33: 'tracker address parity error',
};
export const MCCHAN_20: MscodValues = {
  0x02: 'write data parity error, sub-channel 1',
  0x03: 'write data ECC error, sub-channel 1',
  0x04: 'write byte enable parity error, sub-channel 1',
  0x05: 'write authentication code parity error, sub-channel 1',
};
export const MCCHAN_21: MscodValues = {
  0x00: 'write data buffer parity error, sub-channel 1',
  0x02: 'write data buffer ECC error, sub-channel 1',
  0x04: 'write data buffer byte enable parity error, sub-channel 1',
  0x06: 'write data buffer, persistent corrected ECC error, sub-channel 1',
};

/** Power management unit, 06_ADH and 06_AEH: status bits 23:16. */
export const PUNIT_HARDWARE: MscodValues = {
  0x02: 'double bit error of the microcontroller',
  0x03: 'double bit error of the microcontroller',
  0x08: 'microcontroller error',
  0x09: 'microcontroller error',
  0x0a: 'the microcontroller patch could not be loaded',
  0x0b: 'request valid error of the microcontroller',
  0x10: 'double bit error in the telemetry memory',
  0x20: 'a power management agent signalled an error',
  0x80: 'the S3M signalled an error',
  0xa0: 'double bit error in the HPM memory',
  0xb0: 'double bit error in the TPMI memory',
};
/** Status bits 31:24. */
export const PUNIT_FIRMWARE: MscodValues = {
  0x09: 'MCA_TSC_DOWNLOAD_TIMEOUT',
  0x0b: 'MCA_GPSB_TIMEOUT',
  0x0c: 'MCA_PMSB_TIMEOUT',
  0x10: 'MCA_PMAX_CALIB_ERROR',
  0x1a: 'MCA_DISP_RUN_BUSY_TIMEOUT',
  0x1d: 'MCA_MORE_THAN_ONE_LT_AGENT',
  0x23: 'MCA_PCU_SVID_ERROR',
  0x35: 'MCA_SVID_LOADLINE_INVALID',
  0x36: 'MCA_SVID_ICCMAX_INVALID',
  0x40: 'MCA_SVID_VIDMAX_INVALID',
  0x41: 'MCA_SVID_VDDRAMP_INVALID',
  0x48: 'MCA_ITD_FUSE_INVALID',
  0x49: 'MCA_SVID_DC_LL_INVALID',
  0x4a: 'MCA_FIVR_PD_HARDERR',
  0x4c: 'MCA_HPM_DOUBLE_BIT_ERROR_DETECTED',
  0x56: 'SVID_ACTIVE_VID_FUSE_ERROR',
};
