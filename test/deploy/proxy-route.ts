import { readText } from './compose-file.ts';

/** Which service the proxy of compose hands a request to, read from the `map` of its configuration. */
export function proxyRoute(method: string, path: string): string {
  const body = /map "\$request_method \$uri" \$service \{([^}]*)\}/.exec(readText('deploy/proxy/nginx.conf'))?.[1];
  if (body === undefined) throw new Error('deploy/proxy/nginx.conf has no map of services any more: adapt this test');
  let otherwise = '';
  for (const line of body.split('\n')) {
    const [, quoted, plain, target] = /^\s*(?:"~([^"]*)"|(\w+)) ([\w:]+);$/.exec(line) ?? [];
    if (target === undefined) continue;
    const service = target.split(':')[0]!;
    if (plain === 'default') otherwise = service;
    else if (quoted !== undefined && new RegExp(quoted).test(`${method} ${path}`)) return service;
  }
  return otherwise;
}
