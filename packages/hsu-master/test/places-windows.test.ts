import { describe, expect, test } from 'vitest';
import { baseDirectories, isPrivileged } from '../src/places.ts';

const sources = {
  env: { LOCALAPPDATA: 'C:\\Users\\ann\\AppData\\Local', PROGRAMDATA: 'D:\\Data' },
  home: 'C:\\Users\\ann',
  privileged: false,
  stateDirectory: null,
  logDirectory: null,
  instance: 'web',
  platform: 'win32',
} as const;

describe('places on Windows', () => {
  test('a user’s are in what is local to this machine, not in what roams', () => {
    expect(baseDirectories(sources)).toEqual({
      run: 'C:\\Users\\ann\\AppData\\Local\\hsu-master\\run',
      state: 'C:\\Users\\ann\\AppData\\Local\\hsu-master\\state',
      log: 'C:\\Users\\ann\\AppData\\Local\\hsu-master\\logs',
    });
  });

  test('without the variable they are where it usually leads', () => {
    const { state } = baseDirectories({ ...sources, env: {} });
    expect(state).toBe('C:\\Users\\ann\\AppData\\Local\\hsu-master\\state');
  });

  test('those of a service of the system are in what all users share', () => {
    const env = { ...sources.env, USERPROFILE: 'C:\\Windows\\system32\\config\\systemprofile' };
    expect(isPrivileged(env, 'win32')).toBe(true);
    expect(isPrivileged({ USERPROFILE: 'C:\\Users\\ann' }, 'win32')).toBe(false);
    expect(baseDirectories({ ...sources, privileged: true }).state).toBe('D:\\Data\\hsu-master\\state');
  });
});
