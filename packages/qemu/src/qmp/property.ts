import type { QmpClient } from './client.ts';
import { QmpCommandError } from './errors.ts';

/** A property of an object of the machine; undefined where there is no such object or property. */
export async function property(
  client: QmpClient,
  path: string,
  name: string,
  options: { deadlineMs?: number } = {},
): Promise<unknown> {
  try {
    return await client.execute('qom-get', { path, property: name }, options);
  } catch (error) {
    if (error instanceof QmpCommandError) return undefined;
    throw error;
  }
}
