/** Where the machine tests get their QEMU from. */

/**
 * The command that runs QEMU for a target (`x86_64`, `aarch64`); arguments follow it. Taken from SYNDROME_TEST_QEMU, a
 * command that expects the target as its next argument. Throws when the variable is not set.
 */
export function testQemu(target: string): Promise<string[]> {
  const command = process.env['SYNDROME_TEST_QEMU']?.split(' ').filter(word => word !== '') ?? [];
  if (command.length > 0) return Promise.resolve([...command, target]);
  return Promise.reject(new Error('set SYNDROME_TEST_QEMU to a command that runs QEMU for the target it is given'));
}
