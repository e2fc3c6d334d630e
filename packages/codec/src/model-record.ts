import { scoringModelSchema, type Poison, type ScoringModel } from '@touchstone/engine';
import { TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import type { RecordSchema } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';

interface ModelPublished {
  readonly model: string;
  readonly version: string;
  readonly publishedAt: number;
}

/** Messages about a model can repeat parts of it, which may be long. */
const DETAIL_MAX = 300;

/** The control record that brings a model into force; every partition gets it. `publishedAt` is epoch milliseconds. */
export function encodeModelPublished(model: ScoringModel, publishedAt: number): Uint8Array {
  const body: ModelPublished = { model: JSON.stringify(model), version: model.version, publishedAt };
  return publishedSchemas.newest('model-published').encode(body);
}

/** The model of a control record whose schema has been found. It is validated as a model given by a person would be. */
export function decodeModelOf(schema: RecordSchema, bytes: Uint8Array, start: number, end: number): ScoringModel | Poison {
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const { model, version, publishedAt } = body as unknown as ModelPublished;
  if (publishedAt < 0 || publishedAt > TIME_MAX) return poison('invalid_value', 'publishedAt is not between 1970 and 9999');
  const parsed = scoringModelSchema.safeParse(parseJson(model));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return poison('invalid_model', `model.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not validate'}`.slice(0, DETAIL_MAX));
  }
  if (parsed.data.version !== version) return poison('invalid_model', 'version is not that of the model');
  return parsed.data;
}

/** Undefined, which is no model, for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
