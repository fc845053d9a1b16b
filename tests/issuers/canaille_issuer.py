"""Runs canaille on loopback, and logs in to it as a client does: one JSON request per line comes in, one JSON answer per line goes
out.

- `about`: the version, the issuer and the algorithms that its discovery document names.
- `tokens`: makes the authorization code flow with a client that registers itself with this algorithm; without one, with a client
  that the command line has made.
- `keys`: changes the keys and starts the server again. `publish` adds new ones, `sign` signs with them, `remove` removes all older
  ones.

Argument: a folder for its files."""
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
import time

from joserfc import jwk

import peer

work = sys.argv[1]
port = peer.free_port()
issuer = f'http://127.0.0.1:{port}'
# A command is `python -c` because pip installs no programs that work from another folder.
COMMAND = [sys.executable, '-c', 'from canaille.commands import cli; cli()']
PASSWORD = secrets.token_urlsafe(16)
# It picks any EC key for ES256, so with two curves, the token endpoint answers 500 now and then.
curves = iter(('P-256', 'P-384'))


def new_keys():
    made = jwk.OKPKey.generate_key('Ed25519'), jwk.RSAKey.generate_key(2048), jwk.ECKey.generate_key(next(curves))
    return [key.as_dict(private=True) for key in made]


active, inactive, fresh = new_keys(), [], []
server = metadata = None
secret_key = secrets.token_urlsafe(16)
clients = {None: ('client-of-the-command-line', secrets.token_urlsafe(32))}
# One for all, because a login takes time.
browser = peer.Browser()


def environment():
    return dict(
        os.environ,
        # By default, the issuer is an https URL, whatever the server listens to.
        PREFERRED_URL_SCHEME='http',
        SECRET_KEY=secret_key,
        SERVER_NAME=f'127.0.0.1:{port}',
        CANAILLE_OIDC__DYNAMIC_CLIENT_REGISTRATION_OPEN='true',
        CANAILLE_SQL__DATABASE_URI=f'sqlite:///{work}/canaille.sqlite',
        CANAILLE_OIDC__ACTIVE_JWKS=json.dumps(active),
        CANAILLE_OIDC__INACTIVE_JWKS=json.dumps(inactive),
    )


def canaille(*arguments):
    done = subprocess.run([*COMMAND, *arguments], cwd=work, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f'canaille {arguments[0]} fails: {done.stderr}')
    return done.stdout


def stop():
    if server:
        server.terminate()
        server.wait()


def start():
    """Starts the server, again if it runs."""
    global server, metadata
    stop()
    server = subprocess.Popen([*COMMAND, 'run', '--bind', f'127.0.0.1:{port}'], cwd=work, env=environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metadata = peer.wait_for(server, f'{issuer}/.well-known/openid-configuration')


def about():
    names = metadata['id_token_signing_alg_values_supported']
    version = importlib.metadata.version('canaille')
    return {'name': 'canaille', 'version': version, 'issuer': issuer, 'algorithms': names}


def client(alg):
    """A client that registers itself with this algorithm; without one, a client that the command line has made."""
    if alg not in clients:
        # The user need not agree, because the page of the client has the address of the server.
        metadata_of_client = {
            'client_name': 'client', 'client_uri': issuer, 'grant_types': ['authorization_code'], 'id_token_signed_response_alg': alg,
            'redirect_uris': [peer.REDIRECT_URI], 'response_types': ['code'], 'scope': 'openid profile',
            'token_endpoint_auth_method': 'client_secret_basic',
        }
        answer = peer.fetch_json(metadata['registration_endpoint'], metadata_of_client)
        clients[alg] = answer['client_id'], answer['client_secret']
    return clients[alg]


def log_in(url, page):
    if form := peer.Form(page, 'login').found:
        return browser.request(url, dict(form, login='user'))
    return browser.request(url, dict(peer.Form(page, 'password').found, password=PASSWORD))


last_second = 0


def tokens(alg=None):
    global last_second
    # Two access tokens of one client and second are the same text, which the database refuses, so the token endpoint answers 500.
    while int(time.time()) == last_second:
        time.sleep(0.05)
    try:
        return peer.code_flow(issuer, *client(alg), browser, log_in)
    finally:
        last_second = int(time.time())


def keys(change):
    global active, inactive, fresh
    if change == 'publish':
        fresh = new_keys()
        inactive = fresh
    elif change == 'sign':
        active, inactive = fresh, active
    else:
        inactive = []
    start()
    return {}


canaille('install')
canaille('create', 'user', '--user-name', 'user', '--family-name', 'User', '--emails', 'user@client.example', '--password', PASSWORD)
name, secret = clients[None]
canaille('create', 'client', '--client-id', name, '--client-secret', secret, '--client-name', name, '--client-uri', issuer,
         '--redirect-uris', peer.REDIRECT_URI, '--grant-types', 'authorization_code', '--response-types', 'code',
         '--scope', 'openid', '--scope', 'profile', '--token-endpoint-auth-method', 'client_secret_basic')
try:
    start()
    peer.serve({'about': about, 'tokens': tokens, 'keys': keys})
finally:
    stop()
