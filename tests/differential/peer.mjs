// Answers conformance cases with jose, configured as the case's options say.
//
// What a case asks for and jose has no setting for is `unsupported`: the `typ` of a JWS that is no JWT. So is an
// algorithm that it does not have.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// An `import` does not look into NODE_PATH; `require.resolve` does.
const entry = createRequire(import.meta.url).resolve('jose');
const { compactVerify, jwtVerify } = await import(pathToFileURL(entry));
const root = entry.slice(0, entry.lastIndexOf(join('jose', 'dist')) + 'jose'.length);
const { version } = JSON.parse(readFileSync(join(root, 'package.json')));

const settings = {
  jws: ['algs', 'crit_understood'],
  jwt: ['algs', 'now', 'leeway', 'iss', 'aud', 'sub', 'typ', 'require', 'max_age', 'crit_understood'],
};
const hmac = ['HS256', 'HS384', 'HS512'];
const pairs = ['RS', 'PS', 'ES'].flatMap((family) => ['256', '384', '512'].map((hash) => family + hash));
const mlDsa = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'];
const isOffered = (alg) => {
  try {
    return generateKeyPairSync(alg.toLowerCase()) !== undefined;
  } catch {
    // Node before 24 does not know the type.
    return false;
  }
};
const supported = [...hmac, ...pairs, 'EdDSA', 'Ed25519', ...mlDsa.filter(isOffered)];
const allowed = ({ alg, options }) => options.algs ?? [alg];

function keyOf({ alg, key }) {
  if (key.format === 'oct-b64u') return Buffer.from(key.value, 'base64url');
  return hmac.includes(alg) ? Buffer.from(key.value) : createPublicKey(key.value);
}

async function verify(request) {
  const { mode, token, options } = request;
  const [secret, algorithms] = [keyOf(request), allowed(request)];
  const crit = Object.fromEntries((options.crit_understood ?? []).map((name) => [name, true]));
  if (mode === 'jws') {
    const { payload } = await compactVerify(token, secret, { algorithms, crit });
    return { payload_b64u: Buffer.from(payload).toString('base64url') };
  }
  await jwtVerify(token, secret, {
    algorithms,
    crit,
    currentDate: new Date(options.now * 1000),
    clockTolerance: options.leeway ?? 0,
    issuer: options.iss,
    audience: options.aud,
    subject: options.sub,
    typ: options.typ,
    requiredClaims: options.require ?? [],
    maxTokenAge: options.max_age,
  });
  return {};
}

async function judge(request) {
  const known = Object.keys(request.options).every((name) => settings[request.mode].includes(name));
  if (!known || !allowed(request).every((name) => supported.includes(name))) {
    return { result: 'unsupported' };
  }
  try {
    return { result: 'accept', ...(await verify(request)) };
  } catch (error) {
    return { result: 'reject', detail: error.code ?? error.name };
  }
}

const answer = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
answer({ name: 'jose', version });
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  answer({ id: request.id, ...(await judge(request)) });
}
