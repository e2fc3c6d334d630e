import type { HttpApp } from './http-app-type.ts';

const SCRIPT_PATH = '/docs/js/scalar.js';

const CONFIGURATION = {
  withDefaultFonts: false,
  showDeveloperTools: 'never',
  telemetry: false,
  agent: { disabled: true },
  hideClientButton: true,
};

// Our own shell instead of the plugin's: it has a language and no inline script, so the policy below needs no exception for one.
const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Touchstone API</title></head>
<body>
<script id="api-reference" data-url="/openapi.json" data-configuration="${JSON.stringify(CONFIGURATION).replaceAll('"', '&quot;')}"></script>
<script src="${SCRIPT_PATH}"></script>
</body>
</html>
`;

/** The page's script sets styles and draws images by itself, and asks this server for the document: nothing comes from outside. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** GET /docs: the OpenAPI document as a page. */
export function registerDocsPage(app: HttpApp): void {
  app.get('/docs', { schema: { hide: true } }, (_request, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(PAGE),
  );

  let script: Promise<string> | null = null;
  app.get(SCRIPT_PATH, { schema: { hide: true } }, async (_request, reply) => {
    script ??= loadScript();
    return reply
      .type('application/javascript; charset=utf-8')
      .header('cache-control', 'public, max-age=3600')
      .send(await script);
  });
}

/**
 * The viewer is one script of five megabytes, which only its plugin hands out. It is loaded with the first visit: most processes never have
 * one, and it would add a tenth of a second to every start.
 */
async function loadScript(): Promise<string> {
  const [{ default: scalar }, { fastify }] = await Promise.all([import('@scalar/fastify-api-reference'), import('fastify')]);
  const carrier = fastify();
  await carrier.register(scalar, { routePrefix: '/docs', configuration: { url: '/openapi.json' } });
  const response = await carrier.inject(SCRIPT_PATH);
  await carrier.close();
  if (response.statusCode !== 200) throw new Error(`the script of the API page could not be loaded: ${response.statusCode}`);
  return response.body;
}
