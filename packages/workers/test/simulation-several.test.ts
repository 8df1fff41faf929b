import { testSeeds } from './simulation.ts';

testSeeds('several');
