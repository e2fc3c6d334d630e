import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TaskArgs, TaskName, TaskResult } from './task-list.ts';

const CHILD = fileURLToPath(new URL('task.child.ts', import.meta.url));

export interface RunningTask<Result> {
  readonly result: Result;
  /** Ends the process; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Runs a task in a process of its own, which stays after the result until it is stopped. It ends with this process at the latest. */
export async function startTask<Name extends TaskName>(name: Name, args: TaskArgs<Name>): Promise<RunningTask<TaskResult<Name>>> {
  const child = fork(CHILD, { execArgv: ['--expose-gc'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const ended = once(child, 'exit').finally(() => process.off('exit', endWithUs));
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await ended;
  };
  child.send({ name, args });
  const answer = await Promise.race([once(child, 'message'), ended.then(() => null)]);
  if (answer === null) throw new Error(`the task ${name} ended without a result, code ${child.exitCode ?? child.signalCode}`);
  const [{ result, error }] = answer as [{ result?: TaskResult<Name>; error?: string }];
  if (error === undefined) return { result: result as TaskResult<Name>, stop };
  await stop();
  throw new Error(`the task ${name} failed: ${error}`);
}

/** Runs a task in a process of its own, to its end. */
export async function runTask<Name extends TaskName>(name: Name, args: TaskArgs<Name>): Promise<TaskResult<Name>> {
  const { result, stop } = await startTask(name, args);
  await stop();
  return result;
}
