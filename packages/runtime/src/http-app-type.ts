import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, RawServerDefault } from 'fastify';
import type { Logger } from './logger.ts';

/** One app carries the routes of one service, or of all of them in standalone. */
export type HttpApp = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, ZodTypeProvider>;
