"""What the programs that run an issuer share: a client that logs in, and the answers to lines of JSON."""
import base64
import html.parser
import http.client
import json
import secrets
import socket
import sys
import time
import urllib.parse

REDIRECT_URI = 'https://client.example/callback'


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def fetch_json(url, body=None):
    """Sends a request, with JSON if it has a body, and reads JSON."""
    body = body and json.dumps(body)
    status, _, text = Browser().request(url, body, {'Content-Type': 'application/json'})
    if status not in (200, 201):
        raise RuntimeError(f'{url}: {status} {text}')
    return json.loads(text)


def wait_for(server, url):
    """Waits until a server that has just been started answers."""
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f'the server has ended with {server.returncode}')
        try:
            return fetch_json(url)
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f'{url} does not answer')


class Form(html.parser.HTMLParser):
    """The fields of the form of a page that has a field of this name."""

    def __init__(self, page, name):
        super().__init__()
        self.name, self.fields, self.found = name, None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == 'form':
            self.fields = {}
        if self.fields is not None and attributes.get('name'):
            self.fields[attributes['name']] = attributes.get('value') or ''
            if attributes['name'] == self.name:
                self.found = self.fields


class Browser:
    """Sends requests over HTTP, with the cookies of earlier answers. Follows no redirect."""

    def __init__(self):
        self.cookies = {}

    def request(self, url, body=None, headers=None):
        """Sends a GET, or with a body a POST. The body is a text or the fields of a form."""
        parts = urllib.parse.urlsplit(url)
        cookies = '; '.join(f'{name}={value}' for name, value in self.cookies.items())
        headers = {'Accept': 'text/html', 'Content-Type': 'application/x-www-form-urlencoded', 'Cookie': cookies, **(headers or {})}
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        connection.request('POST' if body else 'GET', f'{parts.path}?{parts.query}', body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all('Set-Cookie', []):
            name, _, value = cookie.split(';')[0].partition('=')
            self.cookies[name] = value
        connection.close()
        location = response.headers.get('Location')
        return response.status, location and urllib.parse.urljoin(url, location), text


def code_flow(issuer, client_id, client_secret, browser, log_in):
    """Makes the authorization code flow. `log_in` does what the user does: it gets the URL of a page and its text, and returns the
    answer to the form that it sends."""
    metadata = fetch_json(f'{issuer.rstrip("/")}/.well-known/openid-configuration')
    nonce = secrets.token_urlsafe(16)
    url = metadata['authorization_endpoint'] + '?' + urllib.parse.urlencode({
        'client_id': client_id, 'nonce': nonce, 'redirect_uri': REDIRECT_URI, 'response_type': 'code', 'scope': 'openid profile',
    })
    status, location, text = browser.request(url)
    for _ in range(10):
        if location and location.startswith(REDIRECT_URI):
            break
        if location:
            url = location
            status, location, text = browser.request(url)
        elif status == 200:
            status, location, text = log_in(url, text)
        else:
            break
    if not location or 'code=' not in location:
        raise RuntimeError(f'no code from {url}: {status} {location} {text}')
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)['code'][0]
    authorization = base64.b64encode(f'{client_id}:{client_secret}'.encode()).decode()
    status, _, text = Browser().request(
        metadata['token_endpoint'],
        {'code': code, 'grant_type': 'authorization_code', 'redirect_uri': REDIRECT_URI},
        {'Authorization': f'Basic {authorization}'},
    )
    if status != 200:
        raise RuntimeError(f'no tokens: {status} {text}')
    tokens = json.loads(text)
    return {'access_token': tokens['access_token'], 'client_id': client_id, 'id_token': tokens['id_token'], 'nonce': nonce}


def serve(operations):
    """Answers each line of JSON until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = operations[request.pop('op')](**request)
        print(json.dumps(answer), flush=True)
