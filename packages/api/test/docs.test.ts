import { expect, it } from 'vitest';
import { apiPage, openApiText } from '../src/docs.ts';

it('the pages name every route and every kind of message', async () => {
  const page = await apiPage();
  const { paths } = JSON.parse(await openApiText()) as { readonly paths: object };
  for (const path of Object.keys(paths)) expect(page).toContain(` ${path}\``);
  for (const op of ['states', 'events', 'logs', 'end']) expect(page).toContain(`"const": "${op}"`);
});
