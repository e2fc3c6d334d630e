import { TASKS, type TaskName } from './task-list.ts';

/** Runs one task for the process that started this one, and stays, for tasks that serve, until that process lets go. */
process.once('disconnect', () => process.exit(0));
process.once('message', (message) => {
  const { name, args } = message as { name: TaskName; args: never };
  Promise.resolve()
    .then(async () => TASKS[name](args))
    .then(
      (result) => process.send!({ result }),
      (cause: unknown) => process.send!({ error: cause instanceof Error ? cause.stack : String(cause) }),
    );
});
