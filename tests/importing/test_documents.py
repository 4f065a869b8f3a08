"""References in documents, and documents with other URLs: nothing else changes."""

import itertools
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsp_pyramid.importing import Document, DocumentError

from . import templates

HOST = 'https://pics.example'
NEW = 'https://new.example/fsp-public/token/pizza.png'


def urls(document: Document, *, links: bool = False) -> list[str]:
    return [reference.url for reference in document.references if reference.is_link is links]


def ours(document: Document) -> list[str]:
    return [url.removeprefix(HOST) for url in urls(document) if url.startswith(HOST)]


@pytest.mark.parametrize(
    ('name', 'make', 'expected'),
    [
        ('mail.html', templates.html_email, templates.HTML_URLS),
        ('full.json', templates.full_template, templates.FULL_URLS),
        ('simple.json', templates.simple_template, templates.SIMPLE_URLS),
    ],
)
def test_all_assets_of_a_template_are_found_and_replaced(
    name: str, make: Callable[[str], bytes], expected: list[str]
) -> None:
    document = Document(name, make(HOST))
    assert ours(document) == list(expected)
    written = document.rewritten(lambda url: NEW if url.startswith(HOST) else None)
    expectation = make(HOST)
    for reference in reversed(document.references):
        if reference.url.startswith(HOST):
            text = expectation.decode()
            expectation = (text[: reference.start] + NEW + text[reference.end :]).encode()
    assert written == expectation
    again = Document(name, written)
    assert ours(again) == []
    assert urls(again).count(NEW) == len(expected)


def test_links_are_told_apart() -> None:
    document = Document('mail.html', templates.html_email(HOST))
    assert urls(document, links=True) == [f'{HOST}/menu.pdf', 'https://shop.example/?a=1&b=2']
    document = Document('full.json', templates.full_template(HOST))
    assert f'{HOST}/menu.pdf' in urls(document, links=True)
    assert 'https://www.youtube.com/watch?v=x' in urls(document, links=True)
    assert 'https://fonts.example/css?family=Lato' not in urls(document)


def test_rewritten_template_has_the_same_keys_and_numbers() -> None:
    document = Document('full.json', templates.full_template(HOST))
    written = document.rewritten(lambda url: NEW if url.startswith(HOST) else None).decode()
    assert '"version": 2.00' in written
    assert '"padding": 0.5' in written

    def keys(text: str) -> list[str]:
        return [key for pairs in _all_pairs(text) for key in pairs]

    assert keys(written) == keys(document.data.decode())


def _all_pairs(text: str) -> list[list[str]]:
    found: list[list[str]] = []
    json.loads(text, object_pairs_hook=lambda pairs: found.append([key for key, _ in pairs]) or dict(pairs))
    return found


def test_lists_of_urls() -> None:
    document = Document('urls.csv', b'name,url\r\n"a","https://h/a,b.png"\r\nb,https://h/c.png,x\r\n')
    assert urls(document) == ['https://h/a,b.png', 'https://h/c.png']
    assert document.rewritten(lambda _url: 'https://n') == b'name,url\r\n"a","https://n"\r\nb,https://n,x\r\n'


@pytest.mark.parametrize(
    ('markup', 'url'),
    [
        ('<img src=https://h/a.png>', 'https://h/a.png'),
        ('<img src=https://h/a.png/>', 'https://h/a.png/'),
        ('<img src = "  https://h/a b.png\n">', 'https://h/a b.png'),
        ('<img title="a>b" src=\'https://h/a.png\'>', 'https://h/a.png'),
        ('<img alt src="https://h/&#x61;.png">', 'https://h/a.png'),
        ('<p>1 < 2 <img src="https://h/a.png">', 'https://h/a.png'),
        ('<td style="background:url(&#39;https://h/a.png&#39;)">', 'https://h/a.png'),
        ('<td style="background:url(https://h/a\\(1\\).png)">', 'https://h/a(1).png'),
        ('<td style=\'background:url("https://h/a.png")\'>', 'https://h/a.png'),
        ('<img srcset="https://h/a.png 1x">', 'https://h/a.png'),
        ('<![if !mso]><img src="https://h/a.png"><![endif]>', 'https://h/a.png'),
        ('<!--[if mso]><v:image src="https://h/a.png"/><![endif]-->', 'https://h/a.png'),
        ('<!--[if (gte mso 9)|(IE)]><td background="https://h/a.png"><![endif]-->', 'https://h/a.png'),
        ('<video poster="https://h/a.png">', 'https://h/a.png'),
        ('<img src="https://h/a.png" src="https://h/b.png">', 'https://h/a.png'),
        ('<img src="https://h/ü.png">', 'https://h/ü.png'),
    ],
)
def test_spellings_in_html(markup: str, url: str) -> None:
    document = Document('a.html', markup.encode())
    assert urls(document) == [url]
    reference = document.references[0]
    expected = markup[: reference.start] + 'https://n' + markup[reference.end :]
    written = document.rewritten(lambda _url: 'https://n').decode()
    assert written == expected


@pytest.mark.parametrize(
    'markup',
    [
        '<!-- <img src="https://h/a.png"> -->',
        '<script>"<img src=\'https://h/a.png\'>"</script>',
        '<textarea><img src="https://h/a.png"></textarea>',
        '<script src="https://h/a.js"></script>',
        '<link rel="stylesheet" href="https://h/a.css">',
        '<iframe src="https://h/page"></iframe>',
        '<img src="https://h/a.png',
        '<style>@import "https://h/a.css"; @import url(https://h/b.css);</style>',
        '<style>/* url(https://h/a.png) */</style>',
    ],
)
def test_what_is_no_asset_is_no_reference(markup: str) -> None:
    assert Document('a.html', markup.encode()).references == ()


def test_documents_that_cannot_be_read_are_refused() -> None:
    for name, data, complaint in (
        ('a.json', b'{"a": ', 'no JSON: Expecting value: line 1'),
        ('a.html', '<p>'.encode('utf-16'), 'UTF-16'),
        ('a.doc', b'', 'ends with none of'),
        ('a.json', b'[' * 100_000, 'nested too deeply'),
    ):
        with pytest.raises(DocumentError, match=complaint):
            _ = Document(name, data).references


@pytest.mark.parametrize(
    'piece', ['<a ', '<img src="', "<td background='x", '<style>url(\\', '<a x=<', '</a ', '<!', "<img srcset='a ("]
)
def test_broken_html_takes_no_longer(piece: str) -> None:
    """Quadratic time would be minutes here."""
    document = Document('a.html', piece.encode() * 50_000)
    assert document.rewritten(lambda _url: None) == document.data


def test_new_urls_that_need_escapes_are_refused() -> None:
    with pytest.raises(ValueError, match='cannot stand in a template'):
        Document('a.html', b'<img src="https://h/a">').rewritten(lambda _url: 'https://n/"><script>')


def test_old_encodings_and_byte_order_marks_stay() -> None:
    latin = b'\xe4 <img src="https://h/a.png"> \xff'
    assert Document('a.html', latin).rewritten(lambda _url: 'https://n') == b'\xe4 <img src="https://n"> \xff'
    marked = b'\xef\xbb\xbf{"src": "https://h/a.png"}'
    assert Document('a.json', marked).rewritten(lambda _url: 'https://n') == b'\xef\xbb\xbf{"src": "https://n"}'


_PIECES = (
    '<', '>', '"', "'", '=', '/', '&', '&amp;', '&quot;', '<!--', '-->', '[if mso]>', '<![endif]', '<img ', 'src',
    'srcset',
    ' style', 'url(', ')', '<style>', '</style>', '<td background=', 'https://h/a.png', '//h', '1x', ',', ' ', '\r\n',
    '\\',
    '@import', '@font-face{', '}', '/*', '*/', '{{', 'ü', '\0', '<a href=', '<p', ';', '<script>', '</script', '\ufeff',
)  # fmt: skip
_broken_html = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=40).map(''.join)


@given(st.binary(max_size=200) | _broken_html.map(lambda text: text.encode('utf-8', 'ignore')))
@example(b'<img src="https://h/a&am')
def test_any_bytes_stay_as_they_are_without_new_urls(data: bytes) -> None:
    document = Document('a.html', data)
    try:
        references = document.references
    except DocumentError:
        assert data[:2] in (b'\xff\xfe', b'\xfe\xff')
        return
    assert document.rewritten(lambda _url: None) == data
    assert all(one.end <= other.start for one, other in itertools.pairwise(references))


@given(_broken_html)
def test_rewrite_changes_the_references_alone(text: str) -> None:
    document = Document('a.html', text.encode('utf-8', 'ignore'))
    before = document.data.decode()
    written = document.rewritten(lambda _url: 'https://n').decode()
    around = [0, *(at for reference in document.references for at in (reference.start, reference.end)), len(before)]
    expected = 'https://n'.join(before[a:b] for a, b in zip(around[::2], around[1::2], strict=True))
    assert written == expected


_attribute = st.text(st.characters(codec='utf-8', exclude_characters='"\0\r\x0c'), max_size=20).map(
    lambda s: s.replace('&', '')
)


@given(st.lists(st.tuples(st.sampled_from(['img', 'p', 'td']), _attribute, _attribute), max_size=5))
def test_attributes_are_those_of_the_standard_library(tags: list[tuple[str, str, str]]) -> None:
    markup = ''.join(f'<{tag} title="{title}" background="{source}">text' for tag, title, source in tags)
    found: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value.strip() for name, value in attrs if name == 'background' and value and value.strip())

    Parser().feed(markup)
    assert [one.url for one in Document('a.html', markup.encode()).references] == found


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20)
    | st.sampled_from(['https://h/a.png', '<img src="https://h/b.png?a=1&amp;b">', "url('https://h/c.png')"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(['src', 'href', 'html', 'style', 'a"b', '\\']), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(_json, st.booleans(), st.sampled_from([None, 1]))
def test_rewritten_json_differs_in_its_urls_alone(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    document = Document('a.json', text.encode('utf-8', 'surrogatepass'))
    assert document.rewritten(lambda _url: None) == document.data
    written = document.rewritten(lambda url: 'https://n' if url.startswith('https://h/') else None)
    expected = re.sub(r'https://h/[abc]\.png(\?a=1&amp;b)?', 'https://n', text)
    assert written.decode('utf-8', 'surrogatepass') == expected
