"""Runs the portal of LemonLDAP::NG on loopback, and logs in to it as a client does: one JSON request per line comes in, one JSON
answer per line goes out.

- `about`: the version, the issuer and the algorithms that its discovery document names.
- `tokens`: makes the authorization code flow with a client that asks for this algorithm.
- `keys`: changes the key while the portal runs, with the script of the package or by hand, without a key id.

Arguments: the folder into which the Debian packages are unpacked, and a folder for its files."""
import base64
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import time

import peer

root, work = map(pathlib.Path, sys.argv[1:])
port = peer.free_port()
issuer = f'http://127.0.0.1:{port}/'
ALGORITHMS = ['RS256', 'RS384', 'RS512', 'HS256', 'HS384', 'HS512']
SECRETS = {alg: secrets.token_urlsafe(64) for alg in ALGORITHMS}


def new_key():
    private = subprocess.run(
        ['openssl', 'genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], check=True, capture_output=True).stdout
    public = subprocess.run(['openssl', 'pkey', '-pubout'], input=private, check=True, capture_output=True).stdout
    return {'oidcServicePrivateKeySig': private.decode(), 'oidcServicePublicKeySig': public.decode()}


def storage(name):
    for folder in (work / name, work / name / 'lock'):
        folder.mkdir(parents=True)
    return {'Directory': str(work / name), 'LockDirectory': str(work / name / 'lock'),
            'generateModule': 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256'}


def files():
    """The configuration of the package, with one client for each algorithm."""
    for name in ('conf', 'cache'):
        (work / name).mkdir()
    conf = json.loads((root / 'var/lib/lemonldap-ng/conf/lmConf-1.json').read_text())
    conf.update(new_key())
    conf.update({
        # The package only recommends the libraries that images and mail need.
        'captcha': '::Main::Plugin',
        'domain': '127.0.0.1',
        'globalStorage': 'Apache::Session::File',
        'globalStorageOptions': storage('sessions'),
        'issuerDBOpenIDConnectActivation': 1,
        'key': secrets.token_urlsafe(16),
        'localSessionStorageOptions': {'cache_root': str(work / 'cache'), 'namespace': 'sessions'},
        'notification': 0,
        'oidcRPMetaDataExportedVars': {alg: {} for alg in ALGORITHMS},
        'oidcRPMetaDataOptions': {alg: {
            'oidcRPMetaDataOptionsAccessTokenJWT': 1,
            'oidcRPMetaDataOptionsBypassConsent': 1,
            'oidcRPMetaDataOptionsClientID': f'client-{alg}',
            'oidcRPMetaDataOptionsClientSecret': SECRETS[alg],
            'oidcRPMetaDataOptionsIDTokenSignAlg': alg,
            'oidcRPMetaDataOptionsRedirectUris': peer.REDIRECT_URI,
        } for alg in ALGORITHMS},
        'oidcServiceMetaDataIssuer': issuer,
        'persistentStorage': 'Apache::Session::File',
        'persistentStorageOptions': storage('persistent'),
        'portal': issuer,
        'portalDisplayResetPassword': 0,
        'registerDB': 'Null',
        'requireToken': 0,
        'securedCookie': 0,
    })
    (work / 'conf/lmConf-1.json').write_text(json.dumps(conf))
    # `checkTime`: seconds between two looks at the configuration.
    (work / 'lemonldap-ng.ini').write_text(f'''
[all]
logLevel = error
checkTime = 1
[configuration]
type = File
dirName = {work}/conf
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'config', 'default_expires_in' => 600, 'cache_root' => '{work}/cache' }}
[portal]
templateDir = {root}/usr/share/lemonldap-ng/portal/templates
languages = en
''')


def perl(*arguments, **options):
    return subprocess.Popen(['perl', *arguments], stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)


def version():
    constants = (root / 'usr/share/perl5/Lemonldap/NG/Common/Conf/Constants.pm').read_text()
    return re.search(r"VERSION = '([^']*)'", constants)[1]


def about():
    names = metadata['id_token_signing_alg_values_supported']
    return {'name': 'lemonldap-ng', 'version': version(), 'issuer': issuer, 'algorithms': names}


def tokens(alg):
    browser = peer.Browser()

    def log_in(url, page):
        return browser.request(url, dict(peer.Form(page, 'password').found, user='dwho', password='dwho'))

    answer = peer.code_flow(issuer, f'client-{alg}', SECRETS[alg], browser, log_in)
    secret = base64.urlsafe_b64encode(SECRETS[alg].encode()).rstrip(b'=').decode()
    return dict(answer, secrets={'id_token': secret})


def keys(change):
    before = peer.fetch_json(metadata['jwks_uri'])
    if change == 'rotate':
        if perl(root / 'usr/share/lemonldap-ng/bin/rotateOidcKeys').wait() != 0:
            raise RuntimeError('rotateOidcKeys fails')
    else:
        newest = max((work / 'conf').glob('lmConf-*.json'), key=lambda path: int(path.stem.split('-')[1]))
        conf = json.loads(newest.read_text())
        conf.update(new_key(), cfgNum=conf['cfgNum'] + 1)
        del conf['oidcServiceKeyIdSig']
        (work / f'conf/lmConf-{conf["cfgNum"]}.json').write_text(json.dumps(conf))
    for _ in range(100):
        if peer.fetch_json(metadata['jwks_uri']) != before:
            return {}
        time.sleep(0.1)
    raise RuntimeError('the portal does not take the new key')


files()
os.environ['LLNG_DEFAULTCONFFILE'] = str(work / 'lemonldap-ng.ini')
server = perl(
    '-MPlack::Runner', '-e', 'my $runner = Plack::Runner->new; $runner->parse_options(@ARGV); $runner->run', '--',
    '--server', 'HTTP::Server::PSGI', '--host', '127.0.0.1', '--port', str(port), '--env', 'deployment',
    root / 'usr/share/lemonldap-ng/portal/htdocs/index.psgi')
try:
    metadata = peer.wait_for(server, f'{issuer}.well-known/openid-configuration')
    peer.serve({'about': about, 'tokens': tokens, 'keys': keys})
finally:
    server.kill()
    server.wait()
