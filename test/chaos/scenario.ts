/** One way to hurt the system, with what must hold afterwards. */
export interface Scenario {
  /** T1 to T15. */
  readonly id: string;
  readonly title: string;
  run(options: ScenarioOptions): Promise<ScenarioReport>;
}

export interface ScenarioOptions {
  /** At full size, for minutes; else as short as still says something. */
  readonly long: boolean;
  readonly seed: number;
  /** For whoever looks on. */
  readonly say: (line: string) => void;
}

export interface ScenarioReport {
  /** What must not be, one line each; empty when all is well. */
  readonly wrong: readonly string[];
  /** What was done to the system, by name. */
  readonly faults: Readonly<Record<string, number>>;
  /** For each fault how long a touch that came right after it waited for its score, at most. */
  readonly recoveriesMs: readonly number[];
  readonly figures: Readonly<Record<string, number | string>>;
}
