import { pino, type DestinationStream, type Logger } from 'pino';
import { humanLine } from './human-line.ts';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel;
  /** Where lines go; standard output by default. */
  readonly destination?: DestinationStream;
}

// Secrets and personal data never reach a log line, at the top or one level down, whatever object somebody passes in.
const PRIVATE = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  'key',
  'apiKey',
  'adminKey',
  'token',
  'secret',
  'password',
  'email',
  'ip',
  'ips',
  'remoteAddress',
  'payload',
  'body',
];
const REDACTED = PRIVATE.flatMap((name) => {
  const child = name.startsWith('[') ? `*${name}` : `*.${name}`;
  const grandchild = name.startsWith('[') ? `*.*${name}` : `*.*.${name}`;
  return [name, child, grandchild];
});

/** JSON lines with RFC 3339 times; on a terminal one readable line each. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? (process.stdout.isTTY ? readable(process.stdout) : pino.destination({ dest: 1, sync: true }));
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[redacted]' },
    },
    destination,
  );
}

function readable(stream: NodeJS.WritableStream): DestinationStream {
  return { write: (line) => void stream.write(humanLine(line)) };
}
