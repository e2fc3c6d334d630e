import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from '@fastify/type-provider-zod';
import { registerDocsPage } from './docs-page.ts';
import type { HttpApp } from './http-app-type.ts';
import { tidyComponents, type OpenApiDocument } from './tidy-components.ts';

type Transform = typeof jsonSchemaTransform;
type Part = Record<string, unknown>;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** GET /openapi.json, OpenAPI 3.1 made from the zod schemas that validate, and a page that shows it at /docs. */
export async function registerOpenApi(app: HttpApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Touchstone',
        version,
        description: 'Live, exact, explained engagement scores for target accounts. Errors are problem documents (RFC 9457).',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key: `sk_...`, or for posting touches from a web page `wk_...`' },
        },
      },
      tags: [
        { name: 'ingest', description: 'Touches, facts and models in' },
        { name: 'accounts', description: 'Scores and figures out; scores and alerts as a stream' },
        {
          name: 'alerts',
          description: 'What became of accounts that somebody should know: crossings, qualification, stages; and what was done about it',
        },
        { name: 'endpoints', description: 'Where alerts are sent, and what became of each' },
        {
          name: 'decisions',
          description: 'Which creative an account should see now, by the OpenFeature Remote Evaluation Protocol (OFREP) 0.3',
        },
        { name: 'creatives', description: 'What creatives and campaigns did, live' },
        { name: 'experiments', description: 'Creatives compared by account, and swapped' },
        { name: 'kpis', description: 'The numbers a revenue team is judged by' },
        { name: 'models', description: 'The scoring model in force' },
        { name: 'dead letters', description: 'Records that could not be read or applied' },
        { name: 'keys', description: 'API keys' },
        { name: 'operations', description: 'Health and metrics' },
      ],
    },
    convertConstToEnum: false,
    transform: transformWithContent,
    transformObject: (document) =>
      tidyComponents(jsonSchemaTransformObject(document) as OpenApiDocument) as ReturnType<typeof jsonSchemaTransformObject>,
  });

  let text: string | null = null;
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    text ??= JSON.stringify(app.swagger());
    return reply.type('application/json').send(text);
  });
  registerDocsPage(app);
}

/** The provider translates schemas only where they stand alone; bodies and responses by media type are translated one by one. */
const transformWithContent: Transform = (input) => {
  const { body, response, ...rest } = (input.schema ?? {}) as Part & { body?: Part; response?: Record<string, Part> };
  const translate = (part: 'body' | 'response', schema: unknown): unknown => {
    const alone = { ...input, schema: part === 'body' ? { body: schema } : { response: { 200: schema } } } as typeof input;
    const translated = jsonSchemaTransform(alone).schema as Part & { response?: Part };
    return part === 'body' ? translated['body'] : translated.response?.['200'];
  };
  const translateContent = (part: 'body' | 'response', declared: Part): unknown => {
    if (!isContent(declared)) return translate(part, declared);
    const content = Object.entries(declared.content).map(([type, { schema, ...more }]) => [
      type,
      { ...more, schema: translate(part, schema) },
    ]);
    return { ...declared, content: Object.fromEntries(content) as Part };
  };

  const { schema, url } = jsonSchemaTransform({ ...input, schema: rest });
  const transformed = schema as Part;
  if (body !== undefined) transformed['body'] = translateContent('body', body);
  if (response !== undefined) {
    transformed['response'] = Object.fromEntries(
      Object.entries(response).map(([status, part]) => [status, translateContent('response', part)]),
    );
  }
  return { schema: transformed, url };
};

function isContent(declared: Part): declared is Part & { content: Record<string, Part> } {
  return typeof declared['content'] === 'object' && !('_zod' in declared);
}
