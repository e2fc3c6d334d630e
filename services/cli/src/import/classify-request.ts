import { pathOf, type LogLine } from './access-log-line.ts';

/** What a logged request is. Only a visit becomes a touch; each other outcome is counted under its name. */
export type RequestClass = 'visit' | 'failed' | 'asset' | 'otherMethod';

/** What a page loads by itself. Documents that a person opens, such as PDF files, are no assets. */
const ASSET_EXTENSIONS = new Set(
  (
    'gif jpg jpeg jpe jfif png apng webp avif svg svgz ico cur bmp tif tiff xbm xpm heic ' +
    'css scss less js mjs cjs map wasm woff woff2 ttf otf eot'
  ).split(' '),
);

/** The first that holds: a failed image is failed, and counted there only. */
export function classifyRequest({ method, target, status }: LogLine): RequestClass {
  if (status < 200 || status > 399) return 'failed';
  if (ASSET_EXTENSIONS.has(extensionOf(pathOf(target)))) return 'asset';
  return method === 'GET' || method === 'POST' ? 'visit' : 'otherMethod';
}

/** Letters and digits after the last dot of the path's last part; what some old pages wrote behind it (`.gif width=20`) is passed over. */
function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : (/^[a-z0-9]*/.exec(name.slice(dot + 1).toLowerCase())?.[0] ?? '');
}
