import { wholeNumber } from '@touchstone/runtime';
import { z } from 'zod';
import { networkProblem } from './address-guard.ts';

/** The notifier's settings, for its own process and for the one that runs everything. */

const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

/** Texts between commas. */
const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const PORT_MAX = 65_535;

export const notifierSettings = {
  /** Where people and programs reach the API: links in messages begin with it. */
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(1000)
    .transform((url) => url.replace(/\/+$/, ''))
    .default('http://127.0.0.1:8080'),
  /** Networks that messages may go to though they are not public: whoever makes an endpoint could else reach what only this machine reaches. */
  NOTIFY_ALLOW_PRIVATE: z
    .string()
    .transform(list)
    .superRefine((networks, context) => {
      for (const network of networks) {
        const problem = networkProblem(network);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      }
    })
    .default([]),
  /** Alerts name customers, so they go over TLS. */
  NOTIFY_ALLOW_HTTP: flag.default(false),
  /** Ports that messages may go to: the usual ones, so that no other service is talked to by mistake or on purpose. */
  NOTIFY_PORTS: z
    .string()
    .transform((text) => list(text).map(Number))
    .refine(
      (ports) => ports.length > 0 && ports.every((port) => Number.isInteger(port) && port > 0 && port <= PORT_MAX),
      `must be ports from 1 to ${PORT_MAX} between commas`,
    )
    .default([443, 8443]),
  /** Alerts an hour that a Slack channel gets for each owner, where the endpoint says nothing else: as many as somebody can act on. */
  NOTIFY_OWNER_BUDGET: wholeNumber(1, 100_000).default(20),
};

export type NotifierSettings = z.output<z.ZodObject<typeof notifierSettings>>;
