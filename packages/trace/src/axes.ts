/** @module What a matrix varies along its table: one table of its axes for who measures, who tells and who shows. */

/** A part of a machine whose versions may be the columns of a matrix. */
interface AxisWords {
  /** Over the versions, and before one of them: `QEMU 10.0.13`. */
  name: string;
  /** Of one and of many of them. */
  one: string;
  many: string;
  /** The option that chooses the part. */
  option: `--${string}`;
}

/** An option is called as its part is. */
const axis = (name: string, one = `${name} version`): AxisWords => ({
  name,
  one,
  many: `${one}s`,
  option: `--${name.toLowerCase().replace(' ', '-')}`,
});

/** The axes, the usual one first. Their keys are those of a cell, and of the choices of a run. */
export const AXES = {
  kernel: axis('guest kernel', 'kernel'),
  hostKernel: axis('host kernel', 'host kernel'),
  qemu: axis('QEMU'),
  hostQemu: axis('host QEMU'),
  xen: axis('Xen'),
} as const satisfies Record<string, AxisWords>;

export type Axis = keyof typeof AXES;

export const AXIS_NAMES = Object.keys(AXES) as Axis[];

/**
 * What a cell of a matrix varies or was chosen for it. What is missing is the scenario's own choice. `variant` are the values of
 * a scenario's parameters.
 */
export type CellParts = Partial<Record<Axis | 'cpu' | 'variant', string>>;

/** The parts of a cell, the axes first. */
export const CELL_PARTS: readonly (keyof CellParts)[] = [...AXIS_NAMES, 'cpu', 'variant'];

/**
 * What a cell is made of besides its place on the axis, in words.
 * @example besidesOf({ kernel: '6.19', hostKernel: '7.0', cpu: 'EPYC' }, 'kernel') // ['host kernel 7.0', 'EPYC']
 */
export function besidesOf(cell: CellParts, axis: Axis): string[] {
  const parts = AXIS_NAMES.flatMap(name => {
    const version = name === axis ? undefined : cell[name];
    return version === undefined ? [] : [`${AXES[name].name} ${version}`];
  });
  return [
    ...parts,
    ...(cell.cpu === undefined ? [] : [cell.cpu]),
    ...(cell.variant === undefined ? [] : [cell.variant]),
  ];
}

/** The options that choose what a cell is made of; the name of its scenario says its variant. */
export function optionsOf(cell: CellParts): string[] {
  const parts = AXIS_NAMES.flatMap(name => {
    const version = cell[name];
    return version === undefined || version === '' ? [] : [AXES[name].option, version];
  });
  return cell.cpu === undefined ? parts : [...parts, '--cpu', cell.cpu];
}
