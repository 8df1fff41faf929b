import fc from 'fast-check';

/** What all forms of the fuzz take together: half a minute in each run of the tests, ten minutes with HSU_LONG. */
const FACTOR = process.env.HSU_LONG === undefined ? 1 : 20;

/** As a failure names them: `HSU_FUZZ_SEED=… HSU_FUZZ_PATH=…` begins there again. */
const { HSU_FUZZ_SEED: SEED, HSU_FUZZ_PATH: PATH } = process.env;

/** How long a form takes, in milliseconds, that is to take so many of the thirty seconds. */
export function spanOfAttack(seconds: number): number {
  return seconds * 1000 * FACTOR;
}

/**
 * Tries inputs for as long as `spanOfAttack` says. Resolves with how many there were, and says so after an attack of minutes.
 * @throws Error with the input that failed, made small, and the seed that leads there
 */
export async function attack<T>(
  name: string,
  seconds: number,
  input: fc.Arbitrary<T>,
  survive: (input: T) => Promise<void>,
): Promise<number> {
  let tried = 0;
  const property = fc.asyncProperty(input, async (one) => {
    tried += 1;
    await survive(one);
  });
  const details = await fc.check(property, {
    numRuns: Number.POSITIVE_INFINITY,
    interruptAfterTimeLimit: spanOfAttack(seconds),
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    ...(PATH === undefined ? {} : { path: PATH }),
  });
  if (FACTOR > 1)
    process.stderr.write(`fuzz, ${name}: ${tried} in ${seconds * FACTOR} s, seed ${details.seed}\n`);
  if (!details.failed) return tried;
  const again = `HSU_FUZZ_SEED=${details.seed} HSU_FUZZ_PATH=${details.counterexamplePath}`;
  throw new Error(`${again}\n${fc.defaultReportMessage(details) ?? ''}`, { cause: details.errorInstance });
}
