/** Freezes a value with all that it holds. What is frozen already is taken to be so to its leaves. */
export function freeze<T extends object>(value: T): T {
  for (const key in value) {
    const inner = value[key];
    if (typeof inner === 'object' && inner !== null && !Object.isFrozen(inner)) freeze(inner);
  }
  return Object.freeze(value);
}
