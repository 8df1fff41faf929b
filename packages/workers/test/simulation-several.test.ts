import { testEveryStep, testSeeds } from './simulation.ts';

testSeeds('several');
testEveryStep('several');
