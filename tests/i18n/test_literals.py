"""Texts for users are marked: no template and no error has one that stays in English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from fsp_pyramid import errors

PACKAGE = Path(__file__).parents[2] / 'fsp_pyramid'
TEMPLATES = ('connect/templates', 'console/templates')
# Texts of the command fsp-import stay English. egnyte and sandbox have errors of their own, some with the same names.
UNMARKED = ('importing/', 'egnyte/', 'sandbox/')
# Names, and the English word before the remedy of a check.
NAMES = {'Egnyte', 'fsp_pyramid', '· fsp_pyramid', 'https://', 'To do:'}
# Only developers read their details. Those of a broken download are in no answer.
WITHOUT_USERS = {'BadRequest', 'MethodNotAllowed', 'Abandoned', 'Damaged'}
PAGES = {'PageError': slice(1, 3), 'DomainRefused': slice(0, 1)}  # where their texts are among the arguments

_LETTER = re.compile(r'[^\W\d_]')
_SILENT = re.compile(r'<(style|script)\b.*?</\1>|<!--.*?-->|<!doctype[^>]*>', re.DOTALL | re.IGNORECASE)
_READ_OUT = re.compile(r'\b(?:aria-label|aria-description|placeholder|title|alt)="([^"]*)"')
_TAG = re.compile(r'<[^<>]*>')
_ENTITY = re.compile(r'&#?\w+;')


def literals(source: str) -> list[str]:
    """Return the words of a template that are neither expressions nor statements nor markup."""
    tokens = jinja2.Environment().lex(source)
    # A space for what is computed, so that the text around it stays in its tag.
    html = ''.join(value if kind == 'data' else ' ' for _, kind, value in tokens)
    html = _SILENT.sub('', html)
    found = _READ_OUT.findall(html) + _ENTITY.sub('', _TAG.sub('\n', html)).split('\n')
    return [' '.join(text.split()) for text in found if _LETTER.search(text)]


@pytest.mark.parametrize('directory', TEMPLATES)
def test_templates_have_no_unmarked_text(directory: str) -> None:
    templates = sorted((PACKAGE / directory).glob('*.jinja2'))
    assert templates
    found = {path.name: set(literals(path.read_text())) - NAMES for path in templates if path.stem != 'style'}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ('source', 'expected'),
    [
        ('<p>Hello</p>', ['Hello']),
        ('<p class="good">{{ name }}:</p>', []),
        ('<p>{% if x %}{{ name }}{% else %}none{% endif %}</p>', ['none']),
        ('<input placeholder="acme" value="x">', ['acme']),
        ('<a href="{{ x }}" title="{{ _(\'id\', \'Go\') }}">{{ y }}</a>', []),
        ('<img alt="{{ name }} logo">', ['logo']),
        ('<style>p { color: red }</style><script nonce="{{ n }}">let a = "b"</script><!-- c -->{# d #}', []),
        ('1 &rsaquo; 2&nbsp;', []),
        ('<input{% if x %} aria-invalid="true" autofocus{% endif %}>', []),
    ],
)
def test_unmarked_text_of_templates(source: str, expected: list[str]) -> None:
    assert literals(source) == expected


def for_users() -> dict[str, slice]:
    """Return the names of the errors that users see, and where their texts are among the arguments."""
    kinds, names = [errors.FSPError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        names.add(kind.__name__)
    return PAGES | dict.fromkeys(names - WITHOUT_USERS, slice(0, 1))


def unmarked(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of errors that are plain strings."""
    users = for_users()
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, 'attr', getattr(call.func, 'id', ''))
        texts = call.args[users[name]] if name in users else []
        texts += [keyword.value for keyword in call.keywords if name in users and keyword.arg in {'title', 'details'}]
        for text in texts:
            yield from (f'line {text.lineno}: {name}({ast.unparse(plain)})' for plain in plain_parts(text))


def plain_parts(text: ast.expr) -> Iterator[ast.expr]:
    """Yield the plain strings of an expression that is a text."""
    match text:
        case ast.Constant(value=str(value)) if _LETTER.search(value):
            yield text
        case ast.JoinedStr():
            yield text
        case ast.BinOp():
            yield from plain_parts(text.left)
            yield from plain_parts(text.right)
        case ast.IfExp():
            yield from plain_parts(text.body)
            yield from plain_parts(text.orelse)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()))):  # 'a {}'.format(b), ' '.join(c)
            yield text


def test_errors_have_no_unmarked_text() -> None:
    found = {}
    for path in PACKAGE.rglob('*.py'):
        name = str(path.relative_to(PACKAGE))
        if not name.startswith(UNMARKED):
            found[name] = list(unmarked(ast.parse(path.read_text())))
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ('code', 'count'),
    [
        ("raise PageError(404, 'Title', _('id', 'Details'))", 1),
        ("raise PageError(404, TITLE, f'{name} is gone')", 1),
        ("raise errors.Forbidden('No')", 1),
        ("raise Forbidden('No' if x else _('id', 'No'))", 1),
        ("raise NotFound('There is no ' + name)", 1),
        ("raise TokenRefused('No', retry_after=1)", 1),
        ("DomainRefused('{} is no domain'.format(name))", 1),
        ("raise BadRequest('The body is no JSON')", 0),
        ("raise errors.Forbidden(_('id', 'No'))", 0),
        ('raise errors.NotFound(details, retry_after=2) from None', 0),
        ("raise ValueError('plain')", 0),
    ],
)
def test_unmarked_text_of_errors(code: str, count: int) -> None:
    assert len(list(unmarked(ast.parse(code)))) == count
