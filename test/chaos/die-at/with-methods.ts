/** The same object with some methods replaced. Its own stay bound to it, so that its private fields can be reached. */
export function withMethods<Target extends object>(target: Target, replaced: Partial<Target>): Target {
  return new Proxy(target, {
    get(_, name) {
      const own: unknown = Reflect.get(
        Object.hasOwn(replaced, name) ? replaced : target,
        name,
        Object.hasOwn(replaced, name) ? replaced : target,
      );
      return typeof own === 'function' && !Object.hasOwn(replaced, name) ? (own.bind(target) as unknown) : own;
    },
  });
}
