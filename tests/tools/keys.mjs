// Keys of Node's `crypto`: `make FOLDER` writes them, `use FOLDER ALGORITHM...` signs with those of countersign.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [command, folder, ...algorithms] = process.argv.slice(2);
const hashes = { RS256: 'sha256', ES256: 'sha256', ES384: 'sha384', ES512: 'sha512', ES256K: 'sha256' };

function make(name, type, options = {}) {
  const { privateKey, publicKey } = generateKeyPairSync(type, options);
  const place = `${folder}/${name}`;
  mkdirSync(place);
  const write = (file, key, options) => writeFileSync(`${place}/${file}`, key.export(options));
  const both = (key, file, type) => {
    write(`${file}.${type}.pem`, key, { type, format: 'pem' });
    write(`${file}.${type}.der`, key, { type, format: 'der' });
  };
  both(privateKey, 'private', 'pkcs8');
  both(publicKey, 'public', 'spki');
  write('private.encrypted.pem', privateKey, { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
  if (type === 'rsa') {
    both(privateKey, 'private', 'pkcs1');
    both(publicKey, 'public', 'pkcs1');
    write('private.encrypted-pkcs1.pem', privateKey, { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
  } else if (type === 'ec') {
    both(privateKey, 'private', 'sec1');
  }
  if (type !== 'rsa-pss' && options.paramEncoding !== 'explicit') {
    writeFileSync(`${place}/private.jwk`, JSON.stringify(privateKey.export({ format: 'jwk' })));
    writeFileSync(`${place}/public.jwk`, JSON.stringify(publicKey.export({ format: 'jwk' })));
  }
}

if (command === 'make') {
  make('RS256', 'rsa', { modulusLength: 2048 });
  make('PS256', 'rsa-pss', { modulusLength: 2048 });
  make('PS256.sha256', 'rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 });
  make('ES256', 'ec', { namedCurve: 'P-256' });
  make('ES256.explicit', 'ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  make('ES384', 'ec', { namedCurve: 'P-384' });
  make('ES512', 'ec', { namedCurve: 'P-521' });
  make('ES256K', 'ec', { namedCurve: 'secp256k1' });
  make('EdDSA', 'ed25519');
  make('EdDSA.x25519', 'x25519');
  make('EdDSA.ed448', 'ed448');
  for (const set of algorithms) {
    make(set, set.toLowerCase());
  }
} else {
  const message = readFileSync(`${folder}/message`);
  for (const name of algorithms) {
    const privateKey = createPrivateKey(readFileSync(`${folder}/${name}/private.pem`));
    const pem = createPublicKey(readFileSync(`${folder}/${name}/public.pem`));
    const der = createPublicKey({ key: readFileSync(`${folder}/${name}/public.der`), format: 'der', type: 'spki' });
    const signature = sign(hashes[name] ?? null, message, privateKey);
    for (const publicKey of [pem, der]) {
      if (!verify(hashes[name] ?? null, message, publicKey, signature)) {
        throw new Error(`${name} does not verify`);
      }
    }
    writeFileSync(`${folder}/${name}/signature`, signature);
  }
}
