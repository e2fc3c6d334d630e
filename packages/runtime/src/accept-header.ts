/**
 * How much an Accept header wants a media type, from 0 (not at all) to 1: the most specific range that covers the type decides (RFC 9110,
 * section 12.5.1). Without the header anything is welcome.
 */
export function acceptQuality(accept: string | undefined, mediaType: string): number {
  if (accept === undefined || accept.trim() === '') return 1;
  const ranges = ['*/*', `${mediaType.slice(0, mediaType.indexOf('/'))}/*`, mediaType];
  let quality = 0;
  let mostSpecific = -1;
  for (const text of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = text.split(';').map((part) => part.trim());
    const specific = ranges.indexOf(range);
    if (specific < 0 || specific < mostSpecific) continue;
    quality = qualityOf(parameters);
    mostSpecific = specific;
  }
  return quality;
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const quality = given === undefined ? 1 : Number(given);
  // What is no number says nothing.
  return Number.isNaN(quality) ? 1 : Math.min(1, Math.max(0, quality));
}
