/** The same object but for what `differs`: all else reaches the object itself. */
export function altered<T extends object>(object: T, differs: Partial<T>): T {
  return new Proxy(object, {
    get(target, key) {
      const part: unknown = Reflect.get(key in differs ? differs : target, key);
      return typeof part === 'function' ? part.bind(key in differs ? differs : target) : part;
    },
  });
}
