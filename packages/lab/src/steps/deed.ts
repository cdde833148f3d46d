/** @module What the steps have in common that write something in a layer. */
import { z } from 'zod';
import { LabError } from '../errors.ts';
import type { AgentClient } from '../guest/client.ts';
import { AgentError } from '../guest/errors.ts';
import type { Session } from '../session.ts';

export const layer = z.enum(['guest', 'host']).default('guest');

export const refused = z
  .enum(['error', 'note'])
  .default('error')
  .describe('what it is when the kernel refuses it: an error of the lab, or a field `error` of the event');

export const injectsFlag = z.boolean().default(false).describe('expectations count from here');

/** The agent of a layer. @throws LabError E_LAB_NO_HOST */
export function agentOf(session: Session, name: z.infer<typeof layer>): AgentClient {
  const agent = name === 'host' ? session.host : session.agent;
  if (!agent) throw new LabError('E_LAB_NO_HOST', 'this machine has no host layer');
  return agent;
}

/** Waits for something to be done. Where a refusal is worth a note, it is given back: the errno. @throws AgentError */
export async function deed(doing: Promise<unknown>, on: z.infer<typeof refused>): Promise<string | undefined> {
  try {
    await doing;
    return undefined;
  } catch (error) {
    if (on === 'note' && error instanceof AgentError && error.errno !== undefined) return error.errno;
    throw error;
  }
}
