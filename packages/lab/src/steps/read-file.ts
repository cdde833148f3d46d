import { z } from 'zod';
import { agentOf, layer } from './deed.ts';
import { defineStep } from './step.ts';

export const readFile = defineStep({
  name: 'read-file',
  schema: z
    .strictObject({
      layer,
      path: z.string().regex(/^\//, 'expected an absolute path'),
      line: z.string().min(1).optional().describe('only the lines that contain this text'),
    })
    .describe('read a file in a layer (sysfs, debugfs, procfs): its text stands in an event'),
  means: () => ({ is: 'nothing' }),
  run: async (session, { layer: name, path, line }) => {
    const text = await agentOf(session, name).readText(path, { max: 65536 });
    const lines = text.split('\n').filter(one => line === undefined || one.includes(line));
    session.note(`${name}.read`, { path, text: lines.join('\n').trim().slice(0, 4096) });
  },
});
