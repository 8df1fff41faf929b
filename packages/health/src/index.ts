export type { Address, Lookup } from './address.ts';
export { healthHook } from './probe-hook.ts';
