import fc from 'fast-check';

const FACTOR = Number(process.env['HSU_TIME_FACTOR'] ?? 1);

/** On a busy machine a property is tried as often as there is time for, well within the time of a test. */
fc.configureGlobal({ interruptAfterTimeLimit: 5000 * FACTOR });
