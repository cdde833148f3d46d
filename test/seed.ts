/**
 * Property tests draw from one seed, so that a run is the same run again, on every machine. `SYNDROME_SEED=N` takes
 * another one, `SYNDROME_SEED=random` one from the clock; a property that fails prints the seed it failed with.
 */
import fc from 'fast-check';

const asked = process.env['SYNDROME_SEED'] ?? '1';
const seed = asked === 'random' ? Date.now() & 0x7fffffff : Number(asked);
if (!Number.isInteger(seed)) throw new Error(`SYNDROME_SEED is "${asked}", not a whole number and not "random"`);
fc.configureGlobal({ seed });
