import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Engine, EngineKind } from '@syndrome/lab/engine/engine.ts';
import { openEngine } from '@syndrome/lab/engine/open.ts';
import type { Services } from '@syndrome/lab/parts.ts';
import { say } from './output.ts';

/** The engine that is asked for. Where that was said, and another one has to stand in for it, people are told why, once. */
export async function chosenEngine(
  { engine, cold }: { engine?: EngineKind; cold?: boolean },
  standard: EngineKind,
  services: Services,
): Promise<Engine> {
  const opened = await openEngine({ kind: cold ? 'cold' : (engine ?? standard), services });
  if (engine === undefined) return opened;
  const told = new Set<string>();
  return {
    ...opened,
    run: async (spec, options) => {
      const run = await opened.run(spec, options);
      for (const { engine: refusing, message } of run.refusals) {
        const text = `engine ${run.engine} instead of ${refusing}: ${safeText(message, 300)}`;
        if (!told.has(text)) say(`syndrome: ${text}`);
        told.add(text);
      }
      return run;
    },
  };
}
