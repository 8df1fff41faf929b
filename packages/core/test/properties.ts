import fc from 'fast-check';

// The same values in every run, so that a change is judged by what it changes; HSU_SEED draws others.
fc.configureGlobal({ seed: Number(process.env.HSU_SEED ?? 1), numRuns: 300 });

export { fc };
