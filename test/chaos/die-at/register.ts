import { registerHooks } from 'node:module';

/**
 * Loaded before the aggregator's main.ts (`node --import`): what that opens is wrapped, so that the very program that runs anywhere else dies
 * at a named point.
 */
const WRAPPED: Readonly<Record<string, string>> = {
  '@touchstone/store': new URL('dying-store.ts', import.meta.url).href,
  '@touchstone/event-log': new URL('dying-log.ts', import.meta.url).href,
};

registerHooks({
  resolve(specifier, context, next) {
    const url = WRAPPED[specifier];
    const isMain = context.parentURL?.endsWith('/services/aggregator/src/main.ts') === true;
    return url !== undefined && isMain ? { url, shortCircuit: true } : next(specifier, context);
  },
});
