/** @module What a CXL memory device can be made to report. */

/** `correctable` and `uncorrectable` are errors of the protocol: of the link, or of the memory behind it (CXL 3.1, 8.2.4.17). */
export const CXL_EVENTS = ['general-media', 'dram', 'poison', 'correctable', 'uncorrectable'] as const;
/** The logs that an event of the medium may go into (CXL 3.1, 8.2.9.2.2). */
export const CXL_LOGS = ['informational', 'warning', 'failure', 'fatal'] as const;
