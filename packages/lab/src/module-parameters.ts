/** @module What a kernel command line says to modules: `kvm.ignore_msrs=1`, which a kernel hands only to what is built in. */

/** A word of a kernel command line; blanks between double quotes do not end it. */
const WORD = /(?:"[^"]*"|[^\s"])+/g;

/** In names of modules and parameters `-` and `_` are the same. */
const plain = (name: string): string => name.replaceAll('-', '_');

/**
 * The parameters that a command line has for a module, as finit_module(2) takes them: as modprobe would pass them on.
 * Source: Linux Documentation/admin-guide/kernel-parameters.rst; kernel/params.c.
 * @param path of the module's file, or its name
 * @example moduleParameters('mce=print_all kvm.ignore_msrs=1', '/modules/kvm.ko.xz') // 'ignore_msrs=1'
 */
export function moduleParameters(commandLine: string, path: string): string {
  const module = plain((path.split('/').at(-1) ?? path).replace(/\.ko(\.\w+)?$/, ''));
  const found: string[] = [];
  for (const word of commandLine.match(WORD) ?? []) {
    // What follows is init's.
    if (word === '--') break;
    const [, name, parameter] = /^"?([\w-]+)\.(.+)$/.exec(word) ?? [];
    if (name === undefined || parameter === undefined || plain(name) !== module) continue;
    // A word may be quoted as a whole.
    found.push(word.startsWith('"') ? `"${parameter}` : parameter);
  }
  return found.join(' ');
}

/** What kstrtobool() takes for true. */
const TRUE = /^(?:y|yes|t|true|1|on)?$/i;

/** Whether a command line switches a parameter of a module on; undefined where it does not name it. */
export function switchedOn(commandLine: string, module: string, parameter: string): boolean | undefined {
  const values = moduleParameters(commandLine, module)
    .split(' ')
    .flatMap(word => {
      const [name = '', value = ''] = word.split('=');
      return plain(name) === plain(parameter) ? [value] : [];
    });
  const last = values.at(-1);
  return last === undefined ? undefined : TRUE.test(last);
}
