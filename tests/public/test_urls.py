"""Public URLs."""

from fsp_pyramid.content.links import Link, Signer
from fsp_pyramid.model import Access, Entry
from fsp_pyramid.public.urls import PublicURLs

SIGNER = Signer(('s' * 32,))
URLS = PublicURLs('https://acme.com/fsp-public', SIGNER)
ENTRY = Entry(('d', 'a b.png'), is_directory=False, id='file', modified=0, access=Access.VIEW, checksum='0123' * 32)


def test_file_url_has_token_and_quoted_name() -> None:
    base, token, name = URLS.file('fsp', ENTRY).rsplit('/', 2)
    assert (base, name) == ('https://acme.com/fsp-public', 'a%20b.png')
    assert SIGNER.verify(token) == Link('fsp', 'file')


def test_thumbnail_url_changes_with_the_content() -> None:
    url = URLS.thumbnail('fsp', ENTRY, 'image/png')
    _, token, digits, name = url.rsplit('/', 3)
    assert (digits, name) == ('012301230123', 'a%20b.png')
    assert SIGNER.verify_thumbnail(token, digits) == Link('fsp', 'file')
    assert URLS.thumbnail('fsp', ENTRY._replace(checksum='f' * 128), 'image/png') != url


def test_other_types_and_unknown_content_have_no_thumbnail_url() -> None:
    assert URLS.thumbnail('fsp', ENTRY, 'image/svg+xml') is None
    assert URLS.thumbnail('fsp', ENTRY._replace(checksum=''), 'image/png') is None
