import { expect, it } from 'vitest';

it('is a package', () => expect(true).toBe(true));
