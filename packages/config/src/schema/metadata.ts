import { object } from './fields.ts';
import { text } from './scalars.ts';

export const metadata = object(
  { name: text('Name for people.', 'the id'), description: text('What it is, for people.') },
  'For people.',
  { name: 'Metadata' },
);
