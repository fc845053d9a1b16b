// Runs oidc-provider on loopback, and logs in to it as a client does: one JSON request per line comes in, one JSON answer per
// line goes out.
//
// - `about`: the version, the issuer and the algorithms that its discovery document names.
// - `tokens`: makes the authorization code flow with a client that asks for this algorithm.
// - `keys`: changes the keys while the provider runs. `publish` adds new ones, `sign` signs with them, `remove` removes all
//   older ones.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// An `import` does not look into NODE_PATH; `require.resolve` does.
const entry = createRequire(import.meta.url).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(entry));
const root = entry.slice(0, entry.lastIndexOf(join('oidc-provider', 'lib')) + 'oidc-provider'.length);
const { version } = JSON.parse(readFileSync(join(root, 'package.json')));

const kinds = [
  ['rsa', { modulusLength: 2048 }],
  ['ec', { namedCurve: 'P-256' }],
  ['ec', { namedCurve: 'P-384' }],
  ['ec', { namedCurve: 'P-521' }],
  ['ed25519'],
];
const sets = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'].filter((name) => {
  try {
    return generateKeyPairSync(name.toLowerCase());
  } catch {
    return false; // a Node before 24
  }
});
kinds.push(...sets.map((name) => [name.toLowerCase()]));
const hashes = ['256', '384', '512'];
const secretAlgorithms = hashes.map((hash) => `HS${hash}`);
const algorithms = [
  ...['RS', 'PS', 'ES', 'HS'].flatMap((family) => hashes.map((hash) => family + hash)), 'EdDSA', 'Ed25519', ...sets,
];
const newKeys = () => kinds.map(([kind, options]) => generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }));

// Its advice on defaults would mix with the answers.
console.info = () => {};
console.warn = () => {};

const redirectUri = 'https://client.example/callback';
const audience = 'https://api.example';
const clients = algorithms.map((alg) => ({
  client_id: `client-${alg}`,
  client_secret: randomBytes(64).toString('base64url'),
  id_token_signed_response_alg: alg,
  redirect_uris: [redirectUri],
}));
const accessSecret = randomBytes(64);

const server = createServer((request, response) => {
  const interaction = /^\/interaction\//.test(request.url);
  (interaction ? logIn : answer)(request, response);
});
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
const issuer = `http://127.0.0.1:${server.address().port}`;

let keys = newKeys();
let fresh = [];
let provider;
let answer;

// The instances of one process share the sessions and grants, so that only the keys change.
function start() {
  provider = new Provider(issuer, {
    clients,
    jwks: { keys },
    enabledJWA: { idTokenSigningAlgValues: algorithms },
    cookies: { keys: ['for tests'] },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource) => {
          const alg = resource.slice(resource.lastIndexOf('/') + 1);
          const sign = { alg, ...(secretAlgorithms.includes(alg) && { key: accessSecret }) };
          return { scope: 'read', audience, accessTokenFormat: 'jwt', jwt: { sign } };
        },
      },
    },
    findAccount: (context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  });
  answer = provider.callback();
}

// Answers each question of the provider at once: the user is `user`, and agrees to everything.
async function logIn(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: 'user', clientId: params.client_id });
  grant.addOIDCScope('openid');
  grant.addResourceScope(params.resource, 'read');
  const result = { login: { accountId: 'user' }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}

async function codeFlow(alg) {
  const client = clients.find(({ client_id: id }) => id === `client-${alg}`);
  const resource = `${audience}/${alg}`;
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const verifier = randomBytes(32).toString('base64url');
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(verifier));
  const nonce = randomBytes(16).toString('base64url');
  let url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    code_challenge: Buffer.from(digest).toString('base64url'),
    code_challenge_method: 'S256',
    nonce,
    redirect_uri: redirectUri,
    resource,
    response_type: 'code',
    scope: 'openid read',
  });
  const cookies = new Map();
  while (url.origin === issuer) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, { headers: { cookie }, redirect: 'manual' });
    const location = response.headers.get('location');
    if (!location) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    url = new URL(location, url);
  }
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` },
    body: new URLSearchParams({
      code: url.searchParams.get('code'),
      code_verifier: verifier,
      grant_type: 'authorization_code',
      redirect_uri: redirectUri,
      resource,
    }),
  });
  const tokens = await response.json();
  if (!response.ok) throw new Error(`${alg}: ${JSON.stringify(tokens)}`);
  return { client, nonce, tokens };
}

const operations = {
  about: async () => {
    const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    const names = metadata.id_token_signing_alg_values_supported;
    return { name: 'oidc-provider', version, issuer, audience, algorithms: names };
  },

  async tokens({ alg }) {
    const { client, nonce, tokens } = await codeFlow(alg);
    return {
      access_token: tokens.access_token,
      client_id: client.client_id,
      id_token: tokens.id_token,
      nonce,
      secrets: {
        access_token: accessSecret.toString('base64url'),
        id_token: Buffer.from(client.client_secret).toString('base64url'),
      },
    };
  },

  keys({ change }) {
    if (change === 'publish') {
      fresh = newKeys();
      keys = [...keys, ...fresh];
    } else if (change === 'sign') {
      keys = [...fresh, ...keys.filter((key) => !fresh.includes(key))];
    } else {
      keys = fresh;
    }
    start();
    return {};
  },
};

start();
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await operations[request.op](request))}\n`);
}
process.exit();
