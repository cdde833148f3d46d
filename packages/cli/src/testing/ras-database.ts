/**
 * @module Makes databases as rasdaemon makes its own: `CREATE TABLE IF NOT EXISTS name (id INTEGER PRIMARY KEY, …)`, one INSERT a row.
 * Names and types of columns: ras-record.c, non-standard-ampere.c, non-standard-yitian.c of rasdaemon 0.8.5.
 */
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';

/** Table → its columns behind `id` as `name`, `name:BLOB` or `name:TEXT`; without a type they are whole numbers. */
export const RAS_TABLES = {
  mc_event:
    'timestamp:TEXT err_count err_type:TEXT err_msg:TEXT label:TEXT mc top_layer middle_layer lower_layer address grain syndrome driver_detail:TEXT',
  aer_event: 'timestamp:TEXT dev_name:TEXT err_type:TEXT err_msg:TEXT',
  non_standard_event: 'timestamp:TEXT sec_type:BLOB fru_id:BLOB fru_text:TEXT severity:TEXT error:BLOB',
  arm_event:
    'timestamp:TEXT error_count affinity mpidr running_state psci_state err_info:BLOB context_info:BLOB vendor_info:BLOB error_type:TEXT error_flags:TEXT error_info virt_fault_addr phy_fault_addr',
  extlog_event: 'timestamp:TEXT etype error_count severity address fru_id:BLOB fru_text:TEXT cper_data:BLOB',
  mce_record:
    'timestamp:TEXT mcgcap mcgstatus status addr misc ip tsc walltime ppin cpu cpuid apicid socketid cs bank cpuvendor microcode bank_name:TEXT error_msg:TEXT mcgstatus_msg:TEXT mcistatus_msg:TEXT mcastatus_msg:TEXT user_action:TEXT mc_location:TEXT',
  devlink_event: 'timestamp:TEXT bus_name:TEXT dev_name:TEXT driver_name:TEXT reporter_name:TEXT msg:TEXT',
  disk_errors: 'timestamp:TEXT dev:TEXT sector nr_sector error:TEXT rwbs:TEXT cmd:TEXT',
  memory_failure_event: 'timestamp:TEXT pfn:TEXT page_type:TEXT action_result:TEXT',
  cxl_poison_event:
    'timestamp:TEXT memdev:TEXT host:TEXT serial trace_type:TEXT region:TEXT region_uuid:TEXT hpa dpa dpa_length source:TEXT flags overflow_ts:TEXT hpa_alias0',
  cxl_aer_ue_event: 'timestamp:TEXT memdev:TEXT host:TEXT serial error_status first_error header_log:BLOB',
  cxl_aer_ce_event: 'timestamp:TEXT memdev:TEXT host:TEXT serial error_status',
  cxl_overflow_event: 'timestamp:TEXT memdev:TEXT host:TEXT serial log_type:TEXT count first_ts:TEXT last_ts:TEXT',
  cxl_generic_event:
    'timestamp:TEXT memdev:TEXT host:TEXT serial log_type:TEXT hdr_uuid:TEXT hdr_flags hdr_handle hdr_related_handle hdr_ts:TEXT hdr_length hdr_maint_op_class hdr_maint_op_sub_class hdr_ld_id hdr_head_id data:BLOB',
  cxl_general_media_event:
    'timestamp:TEXT memdev:TEXT host:TEXT serial log_type:TEXT hdr_uuid:TEXT hdr_flags hdr_handle hdr_related_handle hdr_ts:TEXT hdr_length hdr_maint_op_class hdr_maint_op_sub_class hdr_ld_id hdr_head_id dpa dpa_flags descriptor type transaction_type channel rank device comp_id:BLOB hpa region:TEXT region_uuid:TEXT pldm_entity_id:BLOB pldm_resource_id:BLOB sub_type cme_threshold_ev_flags cme_count hpa_alias0',
  cxl_dram_event:
    'timestamp:TEXT memdev:TEXT host:TEXT serial log_type:TEXT hdr_uuid:TEXT hdr_flags hdr_handle hdr_related_handle hdr_ts:TEXT hdr_length hdr_maint_op_class hdr_maint_op_sub_class hdr_ld_id hdr_head_id dpa dpa_flags descriptor type transaction_type channel rank nibble_mask bank_group bank row column cor_mask:BLOB hpa region:TEXT region_uuid:TEXT comp_id:BLOB pldm_entity_id:BLOB pldm_resource_id:BLOB sub_type sub_channel cme_threshold_ev_flags cvme_count hpa_alias0',
  cxl_memory_module_event:
    'timestamp:TEXT memdev:TEXT host:TEXT serial log_type:TEXT hdr_uuid:TEXT hdr_flags hdr_handle hdr_related_handle hdr_ts:TEXT hdr_length hdr_maint_op_class hdr_maint_op_sub_class hdr_ld_id hdr_head_id event_type health_status media_status life_used dirty_shutdown_cnt cor_vol_err_cnt cor_per_err_cnt device_temp add_status event_sub_type comp_id:BLOB pldm_entity_id:BLOB pldm_resource_id:BLOB',
  signal_event: 'timestamp:TEXT sig errorno code comm:TEXT pid grp res',
  reri_event:
    'timestamp:TEXT err_src_id source_type severity hart_id cluster_id status addr_info info suppl_info timestamp_val',
  amp_payload0_event:
    'timestamp:TEXT type:TEXT subtype:TEXT instance socket_num status_reg addr_reg misc0 misc1 misc2 misc3',
  yitian_ddr_reg_dump_event: 'timestamp:TEXT address regs_dump:TEXT',
} as const;

export type RasTable = keyof typeof RAS_TABLES;
export type RasRows = Partial<Record<RasTable, readonly Readonly<Record<string, SQLInputValue>>[]>>;

const columnsOf = (table: RasTable): [name: string, type: string][] =>
  RAS_TABLES[table].split(' ').map(word => {
    const [name = '', type = 'INTEGER'] = word.split(':');
    return [name, type];
  });

interface Made {
  /** Columns that this version of rasdaemon did not have yet. */
  without?: readonly string[];
  /** Tables that it did not have. */
  missing?: readonly RasTable[];
}

/** Makes a database at a path with all tables and these rows; it stays open, as it does in rasdaemon. */
export function openRasDatabase(
  path: string,
  rows: RasRows = {},
  { without = [], missing = [] }: Made = {},
): DatabaseSync {
  const database = new DatabaseSync(path);
  for (const table of Object.keys(RAS_TABLES) as RasTable[]) {
    if (missing.includes(table)) continue;
    const columns = columnsOf(table).filter(([name]) => !without.includes(name));
    const all = [['id', 'INTEGER PRIMARY KEY'], ...columns];
    database.exec(`CREATE TABLE IF NOT EXISTS ${table} (${all.map(c => c.join(' ')).join(', ')})`);
    for (const row of rows[table] ?? []) addRasRow(database, table, row);
  }
  return database;
}

/** Adds a row as rasdaemon does, its number by SQLite. */
export function addRasRow(database: DatabaseSync, table: RasTable, row: Readonly<Record<string, SQLInputValue>>): void {
  const names = Object.keys(row);
  const marks = names.map(() => '?').join(', ');
  database.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(...Object.values(row));
}

/** A register as rasdaemon binds it: SQLite has signed integers. */
export const bound = (value: bigint): bigint => BigInt.asIntN(64, value);
