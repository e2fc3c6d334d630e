import type { Timeline } from './timeline.ts';

/** What happened in a run, as one number to compare two runs by; and as lines, for whoever looks into a seed. */
export class Trace {
  /** Given each line, with its time. */
  onLine: ((line: string) => void) | null = null;
  readonly #timeline: Timeline;
  #hash = 0x811c9dc5;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  note(what: string, ...details: readonly (string | number)[]): void {
    this.#mixNumber(this.#timeline.now);
    this.#mixText(what);
    for (const detail of details) {
      if (typeof detail === 'number') this.#mixNumber(detail);
      else this.#mixText(detail);
    }
    this.onLine?.(`${this.#timeline.now.toFixed(3).padStart(11)} ms  ${what} ${details.join(' ')}`);
  }

  #mixText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(i), 0x01000193);
  }

  #mixNumber(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value | 0), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ ((value * 1024) | 0), 0x01000193);
  }
}
