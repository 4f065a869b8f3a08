from collections import Counter
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from fsp_pyramid.sandbox import artwork, seed

Tree = dict[str, tuple[bytes | None, int]]


@pytest.fixture(scope='module')
def tree() -> Tree:
    return {path: (content, modified) for path, content, modified in seed.tree()}


def picture(tree: Tree, path: str) -> Image.Image:
    content = tree[path][0]
    assert content is not None
    return Image.open(BytesIO(content))


def test_tree_has_varied_content(tree: Tree) -> None:
    parents = Counter(path.rpartition('/')[0] for path, (content, _) in tree.items() if content)
    assert sum(parents.values()) >= 25
    assert len(parents) >= 4
    assert parents['/Shared/Brand'] >= 8
    assert parents['/Shared/Beefree/demo'] >= 1
    size = sum(len(content or b'') for content, _ in tree.values())
    assert 300_000 < size < 3_000_000


def test_parents_precede_children(tree: Tree) -> None:
    seen = {'/Shared'}
    for path, (content, _) in tree.items():
        assert path.rpartition('/')[0] in seen
        if content is None:
            seen.add(path)
        else:
            assert content


def test_tree_is_deterministic(tree: Tree) -> None:
    assert {path: (content, modified) for path, content, modified in seed.tree()} == tree


def test_names_are_valid_and_cover_special_characters(tree: Tree) -> None:
    names = [path.rpartition('/')[2] for path in tree]
    for name in names:
        assert not set(name) & set('\\/":<>|*?'), name
        assert name == name.strip(' ')
        assert not name.endswith(('.', '~', '.tmp'))
        assert not name.startswith(('._', '.~'))
        assert max(map(ord, name)) < 0x10000
        assert len(name.encode()) <= 245
    assert len({path.lower() for path in tree}) == len(tree)
    for odd in (' ', '+', '&', '#', '%', 'é'):
        assert any(odd in name for name in names), odd


@pytest.mark.parametrize(
    ('suffix', 'kind'),
    [('.png', 'PNG'), ('.jpg', 'JPEG'), ('.gif', 'GIF'), ('.webp', 'WEBP')],
)
def test_image_formats_match_file_names(tree: Tree, suffix: str, kind: str) -> None:
    paths = [path for path in tree if path.endswith(suffix)]
    assert paths
    for path in paths:
        opened = picture(tree, path)
        opened.load()
        assert opened.format == kind
        # not one flat colour: something is drawn
        assert max(ImageStat.Stat(opened.convert('RGB')).stddev) > 20, path


def test_gif_is_animated_and_png_is_transparent(tree: Tree) -> None:
    assert picture(tree, '/Shared/Brand/#slowmornings.gif').n_frames == 10
    assert picture(tree, '/Shared/Brand/Logo.png').getchannel('A').getextrema() == (0, 255)


def test_exif_orientation_turns_phone_picture_upright(tree: Tree) -> None:
    stored = picture(tree, '/Shared/Brand/Evening at the lake.jpg')
    assert stored.getexif()[0x0112] == 6
    assert stored.size == (1080, 720)
    shown = ImageOps.exif_transpose(stored)
    assert shown.size == (720, 1080)
    difference = ImageChops.difference(shown.convert('RGB'), artwork.lake())
    assert max(ImageStat.Stat(difference).mean) < 3


def test_documents_are_readable(tree: Tree) -> None:
    for path in ('/Shared/Brand/Logo.svg', '/Shared/Brand/Icons & signs/bean.svg'):
        assert ET.fromstring(tree[path][0] or b'').tag.endswith('}svg')
    pdf = tree['/Shared/Brand/Brand guidelines.pdf'][0] or b''
    assert pdf.startswith(b'%PDF-')
    assert pdf.count(b'/DCTDecode') == 2
    assert 'café' in (tree['/Shared/Brand/Press text.txt'][0] or b'').decode()
