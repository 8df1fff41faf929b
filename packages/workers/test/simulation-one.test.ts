import { testSeeds } from './simulation.ts';

testSeeds('one');
