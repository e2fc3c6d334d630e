/** Questions to ClickHouse by plain HTTP, past the code that is checked. */
export class StoredRows {
  readonly #url: () => string;

  constructor(url: () => string) {
    this.#url = url;
  }

  /** Offsets of the touches of a partition, in order; an offset stored twice is there twice unless the table drops it. */
  async touchOffsets(partition: number): Promise<number[]> {
    const rows = await this.ask(`SELECT offset FROM touches FINAL WHERE partition = ${partition} ORDER BY offset`);
    return rows.map(Number);
  }

  /** Up to where each partition is stored. */
  async positions(): Promise<Map<number, number>> {
    const rows = await this.ask('SELECT partition, max(offset) FROM positions GROUP BY partition');
    return new Map(rows.map((row) => row.split('\t').map(Number) as [number, number]));
  }

  async deadLetters(): Promise<{ partition: number; offset: number }[]> {
    const rows = await this.ask('SELECT partition, offset FROM dead_letters FINAL ORDER BY partition, offset');
    return rows.map((row) => row.split('\t').map(Number)).map(([partition, offset]) => ({ partition: partition!, offset: offset! }));
  }

  /** Lines of the answer, fields apart by tabs. */
  async ask(query: string): Promise<string[]> {
    const headers = { authorization: `Basic ${Buffer.from('default:').toString('base64')}` };
    const response = await fetch(`${this.#url()}/?default_format=TabSeparated`, { method: 'POST', body: query, headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${query}: ${text}`);
    return text.split('\n').filter((line) => line !== '');
  }
}
