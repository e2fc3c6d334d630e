import { generateKeyPairSync, sign } from 'node:crypto';

/** A TLS certificate that signs itself, for 127.0.0.1, and its key; both PEM. Made anew each time: a key has no place among sources. */
export function makeCertificate(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(OID_ECDSA_SHA256);
  const name = sequence(der(0x31, sequence(Buffer.concat([OID_COMMON_NAME, der(0x0c, Buffer.from('touchstone test'))]))));
  const subjectAltName = sequence(Buffer.concat([OID_SUBJECT_ALT_NAME, der(0x04, sequence(der(0x87, Buffer.of(127, 0, 0, 1))))]));
  const isAuthority = sequence(Buffer.concat([OID_BASIC_CONSTRAINTS, der(0x04, sequence(der(0x01, Buffer.of(0xff))))]));
  const body = sequence(
    Buffer.concat([
      der(0xa0, der(0x02, Buffer.of(2))),
      der(0x02, Buffer.of(1)),
      ecdsaWithSha256,
      name,
      sequence(Buffer.concat([utcTime(2020), utcTime(2049)])),
      name,
      publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(Buffer.concat([isAuthority, subjectAltName]))),
    ]),
  );
  const signature = der(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]));
  const base64 = sequence(Buffer.concat([body, ecdsaWithSha256, signature])).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

const OID_ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const OID_COMMON_NAME = Buffer.from('0603550403', 'hex');
const OID_BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const OID_SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');

/** X.690: a tag, the length of the content, the content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(content: Buffer): Buffer {
  return der(0x30, content);
}

function utcTime(year: number): Buffer {
  return der(0x17, Buffer.from(`${String(year).slice(2)}0101000000Z`));
}
