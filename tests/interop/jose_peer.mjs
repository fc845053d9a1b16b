// Signs and verifies with jose: one JSON request per line comes in, one JSON answer per line goes out.
//
// A token that the library refuses is an answer; anything else that goes wrong ends the program.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// An `import` does not look into NODE_PATH; `require.resolve` does.
const entry = createRequire(import.meta.url).resolve('jose');
const { SignJWT, errors, jwtVerify } = await import(pathToFileURL(entry));
const root = entry.slice(0, entry.lastIndexOf(join('jose', 'dist')) + 'jose'.length);
const { version } = JSON.parse(readFileSync(join(root, 'package.json')));

const hashes = ['256', '384', '512'];
const algorithms = ['HS', 'RS', 'PS', 'ES'].flatMap((family) => hashes.map((hash) => family + hash));
const mlDsa = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'];
const isOffered = (alg) => {
  try {
    return generateKeyPairSync(alg.toLowerCase()) !== undefined;
  } catch {
    // Node before 24 does not know the type.
    return false;
  }
};
const keyOf = ({ alg, key }, read) => (alg.startsWith('HS') ? Buffer.from(key, 'hex') : read(key));

const operations = {
  about: () => ({ name: 'jose', version, algorithms: [...algorithms, 'EdDSA', ...mlDsa.filter(isOffered)] }),

  async sign(request) {
    const { alg, claims, kid } = request;
    const header = { alg, typ: 'JWT', ...(kid !== undefined && { kid }) };
    const token = await new SignJWT(claims).setProtectedHeader(header).sign(keyOf(request, createPrivateKey));
    return { token };
  },

  async verify(request) {
    const { alg, token, issuer, audience } = request;
    try {
      const options = { algorithms: [alg], issuer, audience, requiredClaims: ['exp'] };
      const { protectedHeader, payload } = await jwtVerify(token, keyOf(request, createPublicKey), options);
      return { header: protectedHeader, claims: payload };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      return { refused: `${error.code}: ${error.message}` };
    }
  },
};

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await operations[request.op](request))}\n`);
}
