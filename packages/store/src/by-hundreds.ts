/** Parameters stand in the address of a request, of which whatever stands before a server takes 8 kB at the least. */
const AT_ONCE = 100;

/** Asks about many things some at a time, one question after the other, and puts the answers together. */
export async function byHundreds<Key, Answer>(
  keys: readonly Key[],
  ask: (some: readonly Key[]) => Promise<Iterable<Answer>>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    for (const answer of await ask(keys.slice(from, from + AT_ONCE))) answers.push(answer);
  }
  return answers;
}
