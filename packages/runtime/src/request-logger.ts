import type { FastifyBaseLogger } from 'fastify';
import { symbols } from 'pino';

/** What a pino logger holds ready of the members that all its lines have. */
interface WithBindings extends FastifyBaseLogger {
  [symbols.chindingsSym]: string;
}

type Child = new (bindings: object) => FastifyBaseLogger;

const children = new WeakMap<FastifyBaseLogger, Child>();

/**
 * The logger of a request, whose lines carry its id. Pino's own `child` looks through the id for secrets, which costs ten times as much as
 * everything else about a logger that nearly always writes nothing. So the text of the id, too, is made when a line is written.
 */
export function requestLogger(logger: FastifyBaseLogger, bindings: object): FastifyBaseLogger {
  let child = children.get(logger);
  if (child === undefined) children.set(logger, (child = childOf(logger as WithBindings)));
  return new child(bindings);
}

/** Makes loggers that are their parent, but for what their lines begin with. */
function childOf(parent: WithBindings): Child {
  class RequestLogger {
    /** Not private: pino makes children of it by making it their prototype. */
    readonly bindingsOfRequest: object;

    constructor(bindings: object) {
      this.bindingsOfRequest = bindings;
    }

    get [symbols.chindingsSym](): string {
      return `${parent[symbols.chindingsSym]},${JSON.stringify(this.bindingsOfRequest).slice(1, -1)}`;
    }

    /** A child of it, or it itself when it is given more to say, has a text of its own. */
    set [symbols.chindingsSym](value: string) {
      Object.defineProperty(this, symbols.chindingsSym, { value, writable: true, configurable: true });
    }
  }
  Object.setPrototypeOf(RequestLogger.prototype, parent);
  return RequestLogger as unknown as Child;
}
