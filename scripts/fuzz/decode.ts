/** Fuzz targets of the room `decode`: the front door, in every form that can be asked for. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { SECTIONS } from '@syndrome/decode/cper/sections.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { FORMS } from '@syndrome/decode/decode/form.ts';
import { toData } from '@syndrome/decode/decode/record.ts';
import { decodedSchema } from '@syndrome/decode/decode/schema.ts';
import { toRaw, toText } from '@syndrome/decode/decode/to-text.ts';
import { anyInput } from './inputs.ts';
import { TEXT_PER_RECORD, VALIDATE_EVERY, controlFaults } from './oracles.ts';
import type { Target } from './target.ts';

/** Most characters of rendered text per byte of input. */
const TEXT_PER_BYTE = 512;

const validate = new Ajv2020({ strict: false }).compile(JSON.parse(decodedSchema()) as object);

function frontDoor(form: (typeof FORMS)[number]): Target {
  return {
    name: `decode:${form}`,
    holds: `any bytes as ${form}: records that fit the schema, text that is bounded and safe for a screen`,
    weight: form === 'auto' ? 8 : 3,
    open: () => (chance, n) => {
      const bytes = anyInput(chance);
      const options: Parameters<typeof decode>[1] = { from: form };
      if (chance.oneIn(4)) options.vendor = chance.pick(['intel', 'amd']);
      if (chance.oneIn(8)) options.cpuid = chance.u64();
      if (chance.oneIn(8)) options.esr = true;
      if (form === 'auto' && chance.oneIn(16)) options.section = chance.pick(SECTIONS).type;
      const { records, diagnostics } = decode(bytes, options);
      const wrong: string[] = [];
      if (records.length + diagnostics.length > bytes.length + 8) wrong.push('more records than bytes');
      let length = 0;
      for (const record of records) {
        const { firstLine = 1, lastLine = firstLine } = record.source;
        if (firstLine > lastLine) wrong.push(`lines ${firstLine} to ${lastLine}`);
        const outlook = n % VALIDATE_EVERY === 1;
        const text = [...toText(record, { table: true, outlook }), toRaw(record)];
        for (const line of text) length += line.length;
        wrong.push(...controlFaults(form, text));
        if (n % VALIDATE_EVERY === 0) {
          if (!validate(JSON.parse(stringify(toData(record, { outlook: chance.oneIn(4) }))))) {
            wrong.push(`schema: ${JSON.stringify(validate.errors)}`);
          }
        }
      }
      if (length > records.length * TEXT_PER_RECORD + bytes.length * TEXT_PER_BYTE) wrong.push(`${length} characters`);
      return wrong;
    },
  };
}

export const DECODE: readonly Target[] = FORMS.map(frontDoor);
