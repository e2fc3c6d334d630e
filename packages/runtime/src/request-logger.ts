import type { FastifyBaseLogger } from 'fastify';
import { symbols } from 'pino';

/** What a pino logger holds ready of the members that all its lines have. */
interface WithBindings extends FastifyBaseLogger {
  [symbols.chindingsSym]: string;
}

/**
 * The logger of a request, whose lines carry its id. Pino's own `child` looks through the id for secrets, which costs ten times as much as
 * everything else about a logger that nearly always writes nothing.
 */
export function requestLogger(logger: FastifyBaseLogger, bindings: object): FastifyBaseLogger {
  const parent = logger as WithBindings;
  const child = Object.create(parent) as WithBindings;
  child[symbols.chindingsSym] = `${parent[symbols.chindingsSym]},${JSON.stringify(bindings).slice(1, -1)}`;
  return child;
}
