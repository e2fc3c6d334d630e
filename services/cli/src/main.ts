import { enableCompileCache } from 'node:module';
import { styleText } from 'node:util';

// Types are stripped and modules compiled at every start; keeping the result halves the time to the first line of output.
enableCompileCache();
const { runProgram } = await import('./program.ts');

// A reader that has seen enough, such as `head`, closes the pipe; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await runProgram(process.argv.slice(2), (message) => {
  process.stderr.write(`${styleText('red', 'error:', { stream: process.stderr })} ${message}\n`);
});
process.exitCode ??= code;
