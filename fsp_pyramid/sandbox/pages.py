"""The pages that people see: plain HTML in one file, without scripts. Every value is escaped here."""

from html import escape

from pyramid.response import Response

from .consent import Asked
from .oauth import SCOPES
from .provision import USERS
from .users import API_KEY

# No form-action: Chromium applies it to where a form's answer redirects, which is for the application to say.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    # Applications learn a user's domain from the Referer, and only that.
    'Referrer-Policy': 'strict-origin-when-cross-origin',
}
STYLE = """
:root { color-scheme: light; font: 1rem/1.5 system-ui, sans-serif; color: #1d2733; background: #eef1f4; }
* { box-sizing: border-box; }
body { margin: 0; padding: 4vh 1rem; }
main { max-width: 27rem; margin: 0 auto; padding: clamp(1.25rem, 6vw, 2rem); background: #fff;
  border: 1px solid #cfd6dd; border-radius: 8px; }
main > :last-child { margin-bottom: 0; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.25; }
p, ul { margin: 0 0 1rem; }
ul { padding-left: 1.25rem; }
strong, code { overflow-wrap: anywhere; }
code { font-size: .875rem; color: #51606e; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input { width: 100%; margin-bottom: 1rem; padding: .5rem .625rem; font: inherit; color: inherit; background: #fff;
  border: 1px solid #6b7885; border-radius: 4px; }
input[aria-invalid] { border-color: #b3261e; }
button { min-width: 7rem; margin: .25rem .5rem .25rem 0; padding: .5rem 1rem; font: inherit; font-weight: 600;
  color: #1d2733; background: #fff; border: 1px solid #6b7885; border-radius: 4px; cursor: pointer; }
button.first { color: #fff; background: #0b5cad; border-color: #0b5cad; }
:focus-visible { outline: 3px solid #c25700; outline-offset: 2px; }
.error { padding: .625rem .75rem; background: #fdecea; border-left: 4px solid #b3261e; }
.note { margin: 1rem 0 0; font-size: .875rem; color: #51606e; }
"""


def consent(question: Asked, action: str, *, username: str = '', error: str = '') -> Response:
    """Login and consent in one form, which is sent to *action*."""
    people = ', '.join(name for name, *_ in USERS)
    return _page(
        'Allow access to your files?',
        f"""<p>The application <strong>{escape(API_KEY)}</strong> at <strong>{escape(question.host)}</strong> asks for
access in your name to:</p>
<ul>{_scopes(question)}</ul>
{_alert(error)}<form method="post" action="{escape(action)}">
<label for="username">User name</label>
<input id="username" name="username" value="{escape(username)}" required autocomplete="username" autocapitalize="none"
spellcheck="false"{_described('', error)}>
<label for="password">Password</label>
<input id="password" name="password" type="password" required autocomplete="current-password"{_described('', error)}>
<button class="first" name="decision" value="allow">Allow</button>
<button name="decision" value="deny" formnovalidate>Deny</button>
</form>
<p class="note">This is a sandbox. Its first users are {escape(people)}, and their passwords are their names.</p>""",
        status=403 if error else 200,
    )


def which_domain(action: str, own: str, *, domain: str = '', error: str = '') -> Response:
    """Return the Enhanced Auth Service's question; *own* is the answer to it."""
    return _page(
        'Your Egnyte domain',
        f"""{_alert(error)}<form method="post" action="{escape(action)}">
<label for="domain">Domain</label>
<input id="domain" name="domain" value="{escape(domain)}" required autocomplete="url" autocapitalize="none"
inputmode="url" spellcheck="false"{_described('hint', error)}>
<button class="first">Continue</button>
</form>
<p class="note" id="hint">At Egnyte a domain is like acme.egnyte.com; that of this sandbox is
<strong>{escape(own)}</strong>.</p>""",
        status=400 if error else 200,
    )


def unanswerable(reason: str) -> Response:
    """Return the page for an invalid authorization request."""
    return _page(
        'This link does not work',
        f"""<p>{escape(reason)}</p>
<p>Nothing was changed. Tell those who run the application that sent you here.</p>""",
        status=400,
    )


def _scopes(question: Asked) -> str:
    scopes = question.scopes or ('everything that the application may ask for',)
    return ''.join(
        f'<li>{escape(SCOPES[scope])} <code>{scope}</code></li>' if scope in SCOPES else f'<li>{escape(scope)}</li>'
        for scope in scopes
    )


def _alert(error: str) -> str:
    return f'<p class="error" id="error" role="alert">{escape(error)}</p>\n' if error else ''


def _described(hint: str, error: str) -> str:
    """Return the attributes of an input: what explains it, and whether it has to be corrected."""
    ids = ' '.join(filter(None, [hint, 'error' if error else '']))
    return (f' aria-describedby="{ids}"' if ids else '') + (' aria-invalid="true"' if error else '')


def _page(title: str, body: str, *, status: int) -> Response:
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{'Error: ' if status >= 400 else ''}{escape(title)} – Egnyte sandbox</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""
    response = Response(html, status=status, content_type='text/html', charset='utf-8')
    response.headers.update(HEADERS)
    return response
