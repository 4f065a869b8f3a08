from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fsp_pyramid.media_types import (
    ACTIVE,
    HEAD,
    PROLOG,
    UNKNOWN,
    is_typeless,
    sniff,
    sniff_file,
    type_of_content,
    type_of_name,
)
from fsp_pyramid.sources.errors import SourceTypeRefused
from fsp_pyramid.sources.type_policy import GROUPS, TypePolicy

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'
HTML = b'<!doctype html><script>alert(1)</script>'
ALL = TypePolicy.parse([])


def drawn(kind: str) -> bytes:
    out = BytesIO()
    Image.new('RGB', (32, 32), '#a33').save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ('name', 'type_'),
    [
        ('a.png', 'image/png'),
        ('A.JPG', 'image/jpeg'),
        ('a.b.webp', 'image/webp'),
        ('é + ü #1 100%.svg', 'image/svg+xml'),
        ('a.avif', 'image/avif'),
        ('a.heic', 'image/heic'),
        ('a.pjpeg', 'image/jpeg'),
        ('a.PJP', 'image/jpeg'),
        ('a.apng', 'image/apng'),
        ('a.dib', 'image/bmp'),
        ('a.jp2', 'image/jp2'),
        ('a.php', UNKNOWN),
        ('favicon.ico', 'image/x-icon'),
        ('a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
        ('a.tar.gz', 'application/gzip'),
        ('a.js', 'text/javascript'),
        ('data:text/html,x.png', 'image/png'),
        ('png', UNKNOWN),
        ('a.', UNKNOWN),
        ('', UNKNOWN),
        ('a.unheard', UNKNOWN),
        ('a.pdf?x=.png', 'image/png'),
    ],
)
def test_type_of_name(name: str, type_: str) -> None:
    assert type_of_name(name) == type_


@pytest.mark.parametrize(
    ('kind', 'type_'),
    [
        ('PNG', 'image/png'),
        ('JPEG', 'image/jpeg'),
        ('GIF', 'image/gif'),
        ('WEBP', 'image/webp'),
        ('AVIF', 'image/avif'),
        ('BMP', 'image/bmp'),
        ('TIFF', 'image/tiff'),
        ('ICO', 'image/x-icon'),
        ('PDF', 'application/pdf'),
        ('DIB', 'image/bmp'),
        ('JPEG2000', 'image/jp2'),
    ],
)
def test_sniff_knows_what_pillow_writes(kind: str, type_: str) -> None:
    assert sniff(drawn(kind)[:HEAD]) == type_


@pytest.mark.parametrize(
    ('head', 'type_'),
    [
        (b'\0\0\0\x1cftypheic\0\0\0\0mif1heic', 'image/heic'),
        (b'\0\0\0\x1cftypmif1\0\0\0\0mif1avif', 'image/avif'),
        (b'\0\0\0\x18ftypmif1\0\0\0\0mif1miaf', 'image/heif'),
        (b'\0\0\0\x18ftypisom\0\0\0\0isommp42', None),
        (b'PK\3\4....', 'application/zip'),
        (b'%!PS-Adobe-3.0 EPSF-3.0', 'application/postscript'),
        (SVG, 'image/svg+xml'),
        (b'\xef\xbb\xbf \n<?xml version="1.0"?>\n<!-- drawn -->\n' + SVG, 'image/svg+xml'),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">' + SVG, 'image/svg+xml'),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', 'image/svg+xml'),
        (SVG.decode().encode('utf-16'), 'image/svg+xml'),
        (HTML, 'text/html'),
        (b'\n\n  <ScRiPt src=x>', 'text/html'),
        (b'<!-- hello --><body onload=x>', 'text/html'),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', 'text/html'),
        (b'<rss version="2.0">', None),
        (b'<!DOCTYPE s:svg [<!ENTITY x "]">]><s:svg xmlns:s="x"/>', 'image/svg+xml'),
        (b'<!DOCTYPE drawing [<!ENTITY x "y">]>' + SVG, 'image/svg+xml'),
        (b'<!DOCTYPE drawing SYSTEM "x">\n<!-- y --><script>', 'text/html'),
        (b'<!-- <svg> --><script>', 'text/html'),
        (b'<!-- <script> --><!-- --><?x <b> ?>' + SVG, 'image/svg+xml'),
        (b'<!-- <!-- -->' + SVG, 'image/svg+xml'),
        (SVG.decode().encode('utf-16-le'), 'image/svg+xml'),
        (HTML.decode().encode('utf-16-be'), 'text/html'),
        (b'\x1b%-12345X@PJL JOB\n' + bytes(900) + b'%PDF-1.4', 'application/pdf'),
        (bytes(1024) + b'%PDF-1.4', 'application/pdf'),
        (bytes(1025) + b'%PDF-1.4', None),
        (b'<script>%PDF-1.4', 'text/html'),
        (b'(' + bytes(40), None),
        (b'BMW prices; 12; 13; 14', None),
        (b'plain text', None),
        (b'', None),
    ],
)
def test_sniff(head: bytes, type_: str | None) -> None:
    assert sniff(head) == type_


LONG = [
    b'<!--' + b' <svg> <script> ' * 1000 + b'-->',
    b'<!-- a -->\n' * 2000,
    b'<?x ' + b'<script>' * 3000 + b'?>',
    b' ' * 20_000,
    b'<?xml version="1.0"?>' + b'<!--' + b'x' * 500_000 + b'-->' + b'<?y?>' + b'<!--' + b'z' * 9000 + b'-->',
    b'<!DOCTYPE drawing [' + b'<!ENTITY a "b">' * 2000 + b']>',
    b'<!-- %PDF-1.4 ' + b'x' * 20_000 + b'-->',
    b'<!--' + b'x' * (HEAD - 8) + b'-->',  # the tag begins where the first bytes end
]


@pytest.mark.parametrize('prolog', LONG, ids=lambda prolog: prolog[:12].decode())
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-be', 'utf-16-le'])
@pytest.mark.parametrize(
    ('content', 'type_'), [(SVG, 'image/svg+xml'), (HTML, 'text/html'), (b'<rss/>', None), (b'text', None)]
)
def test_sniff_file_reads_past_long_prologs(prolog: bytes, encoding: str, content: bytes, type_: str | None) -> None:
    if type_ is None and b'%PDF-' in prolog:
        type_ = 'application/pdf' if encoding.startswith('utf-8') else None
    assert sniff_file(BytesIO((prolog + content).decode().encode(encoding))) == type_


def test_sniff_file_reads_no_more_than_it_needs() -> None:
    for content, most in (
        (drawn('PNG') + bytes(99_999), HEAD),
        (b'text ' * 99_999, HEAD),
        (SVG + bytes(99_999), HEAD),
        (b'<!--' + bytes(9 * PROLOG), PROLOG),
        (b'', 0),
    ):
        file = BytesIO(content)
        sniff_file(file)
        assert file.tell() <= most


@given(
    st.lists(st.sampled_from([b'<!--', b'-->', b'<?', b'?>', b'<!doctype a', b'[', b']', b'>', b' ' * 3000, b'<svg ']))
)
def test_growing_file_is_sniffed_like_a_complete_one(parts: list[bytes]) -> None:
    content = b''.join(parts)
    assert sniff_file(BytesIO(content)) == sniff(content)


@pytest.mark.parametrize(
    ('name', 'typeless'),
    [
        ('0b5f3c1e-7d0c-4b7e-9d5a-1c2d3e4f5a6b', True),
        ('0b5f.7d0c.9d5a', True),
        ('photo.v2', True),
        ('image.final', True),
        ('a.', True),
        ('', True),
        ('png', True),
        ('a.png', False),
        ('a.txt', False),
        ('a.exe', False),
        ('a.php', False),
    ],
)
def test_names_without_a_type(name: str, typeless: bool) -> None:
    assert is_typeless(name) is typeless


def test_active_types_come_from_names_only() -> None:
    assert type_of_content('image/png') == 'image/png'
    assert {type_of_content(type_) for type_ in (*ACTIVE - {'application/xhtml+xml'}, None)} == {None}


@given(st.binary(max_size=64), st.sampled_from([b'', b'\0\0\0\x20ftyp', b'<!--', b'<?xml', b'\xff\xfe', b'BM']))
def test_sniff_takes_any_bytes(rest: bytes, start: bytes) -> None:
    sniff(start + rest)


def test_no_entry_means_every_group() -> None:
    assert TypePolicy.parse(GROUPS) == ALL
    assert 'font/*' in ALL.globs


def test_groups_and_globs() -> None:
    policy = TypePolicy.parse(['Image', 'application/PDF', 'video/mp*'])
    assert policy.check('a.pdf', 'application/pdf') == 'application/pdf'
    assert policy.check('a.mp4', None) == 'video/mp4'
    for name in ('a.txt', 'a.mov', 'noname'):
        with pytest.raises(SourceTypeRefused, match='not allowed'):
            policy.check(name, None)


@pytest.mark.parametrize('entry', ['pictures', '.png', 'image/', '/png', 'image/png;q=1', '*', 'a/b/c'])
def test_bad_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match='is no type of file: write one of image, text') as caught:
        TypePolicy.parse(['image', entry])
    assert f'"{entry}"' in str(caught.value)


@pytest.mark.parametrize(
    ('name', 'content', 'type_'),
    [
        ('a.png', drawn('PNG'), 'image/png'),
        ('a.png', drawn('JPEG'), 'image/jpeg'),
        ('a.jpg', drawn('WEBP'), 'image/webp'),
        ('a', drawn('GIF'), 'image/gif'),
        ('photo.v2', drawn('PNG'), 'image/png'),
        ('a.b-c.3f9c2a', drawn('JPEG'), 'image/jpeg'),
        ('a.pjpeg', drawn('JPEG'), 'image/jpeg'),
        ('a.apng', drawn('PNG'), 'image/png'),
        ('a.dib', drawn('BMP'), 'image/bmp'),
        ('a.dib', drawn('DIB'), 'image/bmp'),
        ('a.jp2', drawn('JPEG2000'), 'image/jp2'),
        ('a.pdf', b'\r\n' * 300 + b'%PDF-1.5', 'application/pdf'),
        ('a.txt', b'A PDF begins with %PDF-', 'text/plain'),
        ('a.svg', SVG, 'image/svg+xml'),
        ('a.svg', b'<svg onload="x()"><script/></svg>', 'image/svg+xml'),
        ('a.html', HTML, 'text/html'),
        ('a.xhtml', HTML, 'application/xhtml+xml'),
        ('a.txt', b'hello', 'text/plain'),
        ('a.xml', b'<rss/>', 'text/xml'),
        ('a.zip', b'PK\3\4', 'application/zip'),
        ('a.epub', b'PK\3\4', 'application/epub+zip'),
        ('a.xlsx', b'PK\3\4', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
        ('a.doc', b'\xd0\xcf\x11\xe0', 'application/msword'),
        ('a.ai', b'%PDF-1.5', 'application/postscript'),
        ('a.mp4', b'\0\0\0\x18ftypisom', 'video/mp4'),
    ],
)
def test_matching_content_is_accepted(name: str, content: bytes, type_: str) -> None:
    assert ALL.check(name, sniff(content)) == type_


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('a.png', HTML),
        ('a.txt', HTML),
        ('a.xml', HTML),
        ('a.svg', HTML),
        ('a', HTML),
        ('photo.v2', HTML),
        ('photo.v2', SVG),
        ('a.png', b'<!--' + b' ' * HEAD + b'-->' + HTML),
        ('a.png', SVG),
        ('a.jpg', b'<?xml version="1.0"?><svg><script>x()</script></svg>'),
        ('a.txt', SVG),
        ('a.html', SVG),
        ('a', SVG),
        ('a.svg', b'hello'),
        ('a.png', b'hello'),
        ('a.png', b'%PDF-1.5'),
        ('a.png', b'\0\0\0\x18ftypisom'),
        ('a.pdf', b'PK\3\4'),
        ('a.pdf', drawn('PNG')),
        ('a.mp4', drawn('PNG')),
        ('a.zip', b'hello'),
        ('a.docx', b'%PDF-1.5'),
    ],
)
def test_mismatching_content_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(SourceTypeRefused, match='not what its name says') as caught:
        ALL.check(name, sniff(content[:HEAD]))
    assert 'sniffed' in caught.value.reason


def test_declared_type_is_used_without_name_and_content() -> None:
    assert ALL.check('data', None, 'text/csv') == 'text/csv'
    assert ALL.check('a.txt', None, 'image/png') == 'text/plain'
    for lie in ('image/png', 'text/html', 'image/svg+xml', None):
        with pytest.raises(SourceTypeRefused, match='octet-stream'):
            ALL.check('data', None, lie)


@given(
    st.text(max_size=5) | st.sampled_from(['a.png', 'a.txt', 'a.svg', 'a.html', 'a.docx', 'a']),
    st.sampled_from([HTML, SVG, drawn('PNG'), b'', b'PK\3\4', b'text']),
    st.none() | st.sampled_from(['text/html', 'image/svg+xml', 'image/png', 'text/plain']),
)
def test_scripts_are_accepted_under_their_own_names_only(name: str, content: bytes, declared: str | None) -> None:
    try:
        type_ = ALL.check(name, sniff(content), declared)
    except SourceTypeRefused:
        return
    if content in (HTML, SVG) or type_ in ('text/html', 'image/svg+xml'):
        assert type_ == type_of_name(name)


@pytest.mark.parametrize('name', ['a.svg', 'a.exe', 'a.php', 'a.html', 'a.pdf'])
def test_picture_under_a_name_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(SourceTypeRefused):
        TypePolicy.parse(()).check(name, 'image/jpeg')


def test_picture_without_a_suffix_has_the_type_of_its_content() -> None:
    assert TypePolicy.parse(()).check('picture', 'image/jpeg') == 'image/jpeg'
    assert TypePolicy.parse(()).check('picture.png', 'image/jpeg') == 'image/jpeg'
