// Signs and verifies with jsonwebtoken: one JSON request per line comes in, one JSON answer per line goes out.
//
// A token that the library refuses is an answer; anything else that goes wrong ends the program.
'use strict';

const jwt = require('jsonwebtoken');
const { version } = require('jsonwebtoken/package.json');

const keyOf = ({ alg, key }) => (alg.startsWith('HS') ? Buffer.from(key, 'hex') : key);

const hashes = ['256', '384', '512'];
const algorithms = ['HS', 'RS', 'PS', 'ES'].flatMap((family) => hashes.map((hash) => family + hash));

const operations = {
  about: () => ({ name: 'jsonwebtoken', version, algorithms }),

  sign(request) {
    const options = { algorithm: request.alg };
    if (request.kid !== undefined) options.keyid = request.kid;
    return { token: jwt.sign(request.claims, keyOf(request), options) };
  },

  verify(request) {
    const { alg, token, issuer, audience } = request;
    try {
      const options = { algorithms: [alg], issuer, audience, complete: true };
      const { header, payload } = jwt.verify(token, keyOf(request), options);
      return { header, claims: payload };
    } catch (error) {
      // Broken JSON inside a token is met as it is, before the signature is looked at. So is the length of a signature.
      const length = error instanceof TypeError && error.message.includes('signatures must be');
      if (!(error instanceof jwt.JsonWebTokenError || error instanceof SyntaxError || length)) throw error;
      return { refused: `${error.name}: ${error.message}` };
    }
  },
};

const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(operations[request.op](request))}\n`);
});
