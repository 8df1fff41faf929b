import { testEveryStep, testSeeds } from './simulation.ts';

testSeeds('one');
testEveryStep('one');
