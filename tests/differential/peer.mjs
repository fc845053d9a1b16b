// Answers conformance cases with jose, configured as the case's options say.
//
// What a case asks for and jose has no setting for is `unsupported`: the `typ` of a JWS that is no JWT.
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
  jws: ['crit_understood'],
  jwt: ['now', 'leeway', 'iss', 'aud', 'sub', 'typ', 'require', 'max_age', 'crit_understood'],
};

async function verify({ mode, alg, key, token, options }) {
  const secret = Buffer.from(key.value, 'base64url');
  const crit = Object.fromEntries((options.crit_understood ?? []).map((name) => [name, true]));
  if (mode === 'jws') {
    const { payload } = await compactVerify(token, secret, { algorithms: [alg], crit });
    return { payload_b64u: Buffer.from(payload).toString('base64url') };
  }
  await jwtVerify(token, secret, {
    algorithms: [alg],
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
  if (!Object.keys(request.options).every((name) => settings[request.mode].includes(name))) {
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
