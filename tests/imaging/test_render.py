"""Rendering of odd and hostile pictures."""

import contextlib
import io
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFile

from fsp_pyramid.imaging import formats, render
from fsp_pyramid.imaging.contract import TYPES, Unrenderable
from fsp_pyramid.imaging.placeholder import placeholder
from fsp_pyramid.imaging.render import SIZE, render_bytes
from fsp_pyramid.media_types import sniff, type_of_name

from .hostile import BAD, icon_of
from .oddities import (
    CORNERS,
    GOOD,
    RED,
    SHOWN,
    animation,
    chunk,
    flat_png,
    quarters,
    ramp,
    ring,
    saved,
    swapped_profile,
)

HEIC = find_spec('pillow_heif') is not None
needs_heic = pytest.mark.skipif(not HEIC, reason='the extra heic is not installed')


@pytest.fixture(autouse=True)
def _as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=['WEBP'])
    image.load()
    return image


def rendered(data: bytes) -> Image.Image:
    return opened(render_bytes(data))


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the colours in the middle of each quarter, clockwise from the upper left."""
    right, low = image.width * 3 // 4, image.height * 3 // 4
    left, high = image.width // 4, image.height // 4
    return [image.getpixel(place) for place in ((left, high), (right, high), (right, low), (left, low))]


def near(one: tuple[int, ...], other: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def is_upright(image: Image.Image) -> bool:
    return all(near(*pair) for pair in zip(corners(image), CORNERS, strict=True))


# What comes out


@pytest.mark.filterwarnings('ignore:Corrupt EXIF')
@pytest.mark.parametrize('name', GOOD)
def test_every_format_is_rendered(name: str) -> None:
    data = GOOD[name]()
    image = rendered(data)
    assert sniff(data[:8192]) in TYPES
    assert max(image.size) <= SIZE
    assert set(image.info) <= {'loop', 'background', 'timestamp', 'duration'}
    assert image.n_frames == 1


OF_OTHER_COLOURS = (
    'ends early',
    'grey',
    'RGBA',
    'PNG, LA',
    'ICO',
    'bit',
    'float',
    ' x ',
    'mega',
    'transparent',
    'swapped',
)


@pytest.mark.filterwarnings('ignore:Corrupt EXIF')
@pytest.mark.parametrize('name', [name for name in GOOD if not any(word in name for word in OF_OTHER_COLOURS)])
def test_colours_and_orientation_are_kept(name: str) -> None:
    image = rendered(GOOD[name]())
    assert image.size == ((60, 40) if '5,000' in name else (200, 133))
    assert is_upright(image), corners(image)


@pytest.mark.parametrize('name', [name for name in GOOD if any(word in name for word in ('RGBA', 'PNG, LA', 'ICO'))])
def test_transparency_is_kept_and_hidden_colours_do_not_bleed(name: str) -> None:
    image = rendered(GOOD[name]())
    assert image.mode == 'RGBA'
    assert image.getpixel((100, 100))[3] == image.getpixel((2, 2))[3] == 0
    assert image.getpixel((100, 40))[3] == 255
    content = image.tobytes()
    pixels = [content[at : at + 4] for at in range(0, len(content), 4)]
    edge = [pixel for pixel in pixels if 100 < pixel[3] < 200]
    assert edge
    assert all(green <= red + 60 for red, green, _, _ in edge)


def test_palette_colours_are_averaged() -> None:
    stripes = Image.new('P', (400, 400))
    stripes.putpalette([0, 0, 0, 255, 255, 255])
    stripes.putdata([place % 2 for place in range(400 * 400)])
    one_bit = stripes.convert('L').convert('1')
    for image in (stripes, one_bit):
        middle = rendered(saved(image, 'PNG')).convert('L')
        assert all(118 <= value <= 138 for value in middle.crop((5, 5, 195, 195)).tobytes())


def test_alpha_of_a_palette_is_kept() -> None:
    image = rendered(GOOD['PNG, palette, half transparent']())
    assert image.getpixel((100, 100))[3] == 0
    assert near(image.getpixel((100, 40)), (*RED, 128))


def test_transparent_colour_of_a_grey_picture_is_kept() -> None:
    image = rendered(GOOD['PNG, grey with a key']())
    assert [corner[3] for corner in corners(image)] == [0, 255, 255, 255]


@pytest.mark.parametrize('name', [name for name in GOOD if any(word in name for word in ('16 b', '32 b', 'float'))])
def test_deep_grey_is_scaled(name: str) -> None:
    row = rendered(GOOD[name]()).convert('L').crop((0, 60, 200, 61)).tobytes()
    assert row[0] < 6
    assert 112 < row[100] < 144
    assert row[-1] > 249
    assert sorted(row) == pytest.approx(list(row), abs=3)


def test_dark_16_bit_picture_stays_dark() -> None:
    assert max(rendered(saved(ramp('I;16', 0, 6553), 'PNG')).convert('L').tobytes()) < 30


def test_single_32_bit_value_is_rendered() -> None:
    assert rendered(saved(Image.new('F', (9, 9), 7.5), 'TIFF')).size == (9, 9)


# What browsers show although it is broken


@pytest.mark.parametrize('name', SHOWN)
@pytest.mark.parametrize('share', [0.35, 0.67, 0.99])
def test_truncated_picture_is_rendered_up_to_its_end(name: str, share: float) -> None:
    data = GOOD[name]()
    image = rendered(data[: int(len(data) * share)]).convert('RGB')
    assert image.size == (200, 133)
    assert near(image.getpixel((20, 5)), RED, by=40)


@pytest.mark.parametrize('type_', [b'tEXt', b'gAMA', b'eXIf', b'prVt'])
def test_wrong_checksum_of_an_optional_chunk_is_ignored(type_: bytes) -> None:
    png = saved(quarters(), 'PNG')
    broken = chunk(type_, b'abcd')[:-4] + b'\0\0\0\0'
    assert is_upright(rendered(png[:33] + broken + png[33:]))


# Colour profiles


def test_colour_profile_is_applied() -> None:
    image = rendered(GOOD['JPEG, swapped profile']())
    red, _, blue, _ = corners(image)
    assert red[2] > 180 > 60 > red[0]
    assert blue[0] > 180 > 80 > blue[2]


def test_cmyk_profile_is_applied() -> None:
    image = rendered(GOOD['JPEG, CMYK, profile of grey inks']())
    assert all(max(corner) - min(corner) < 8 for corner in corners(image))
    assert corners(image)[3][0] > corners(image)[0][0] + 30


@pytest.mark.parametrize('name', ['PNG, grey, profile', 'PNG, grey, RGB profile'])
def test_profile_of_grey_picture_is_applied(name: str) -> None:
    plain, linear = (rendered(GOOD[each]()).getpixel((60, 60))[0] for each in ('PNG, 16 bits', name))
    assert linear > plain + 40
    assert rendered(GOOD['PNG, LA, profile']()).getpixel((100, 40))[0] > 140


def test_huge_profile_is_ignored() -> None:
    for padding, is_ignored in ((0, False), (5_000_000, True)):
        picture = saved(quarters(), 'WEBP', icc_profile=swapped_profile() + bytes(padding))
        assert is_upright(rendered(picture)) == is_ignored


# Sizes


@given(st.integers(1, 1500), st.integers(1, 1500), st.sampled_from(['PNG', 'JPEG', 'WEBP']))
@example(3000, 2, 'JPEG')
@example(1, 3000, 'PNG')
@example(200, 200, 'WEBP')
@example(201, 200, 'PNG')
@example(1999, 1000, 'JPEG')
@settings(max_examples=60, deadline=None)
def test_thumbnail_fits_without_enlarging_or_distortion(width: int, height: int, format_: str) -> None:
    image = rendered(saved(Image.new('L', (width, height), 99), format_))
    scale = min(1, SIZE / max(width, height))
    assert max(image.size) == min(SIZE, max(width, height))
    assert abs(image.width - max(1, width * scale)) <= 0.5
    assert abs(image.height - max(1, height * scale)) <= 0.5


@pytest.mark.parametrize('size', [(2001, 1333), (1237, 911), (10_000, 7)])
@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P', 'L'])
def test_strips_leave_no_seams(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], mode: str) -> None:
    picture = saved(quarters(*size, 'RGB').convert(mode), 'PNG')
    whole = rendered(picture)
    monkeypatch.setattr(render, '_STRIP', 1)
    assert ImageChops.difference(whole.convert('RGB'), rendered(picture).convert('RGB')).getextrema() == ((0, 0),) * 3
    if size[1] > 7:
        plain = quarters(*size).convert('L' if mode == 'L' else 'RGB').convert('RGB')
        assert all(near(*pair, by=24) for pair in zip(corners(whole.convert('RGB')), corners(plain), strict=True))


def test_remaining_rows_of_a_reduction_keep_their_weight() -> None:
    image = Image.new('L', (3999, 100))  # reduced by 9: 11 rows and one of a single pixel
    image.paste(255, (0, 50, 3999, 100))
    column = rendered(saved(image, 'PNG')).convert('L').crop((100, 0, 101, 5)).tobytes()
    assert column == pytest.approx((0, 0, 127, 255, 255), abs=20)


# What must not come in or out


def test_metadata_is_removed() -> None:
    for name in ('JPEG, GPS', 'PNG, text', 'JPEG, swapped profile'):
        out = render_bytes(GOOD[name]())
        assert all(word not in out for word in (b'Somebody', b'EXIF', b'XMP', b'ICCP', b'acsp'))
        assert not opened(out).getexif()


@pytest.mark.parametrize('name', BAD)
@pytest.mark.parametrize('action', ['ignore', 'error'])
def test_bad_picture_is_refused(name: str, action: str) -> None:
    data = BAD[name]()
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(Unrenderable, match=r'\w+ \w+'):
            render_bytes(data)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='only Linux tells the peak of memory')
@pytest.mark.parametrize('name', ['PNG of 144 megapixels', 'ICO with 144 megapixels', 'TIFF with a large tile'])
def test_decompression_bomb_allocates_no_memory(name: str) -> None:
    """Measure the peak of a separate process, which includes Pillow's memory."""
    code = (
        'import sys, warnings; warnings.simplefilter("ignore")\n'
        'from tests.imaging.hostile import BAD\n'
        'from fsp_pyramid.imaging.contract import Unrenderable\n'
        'from fsp_pyramid.imaging.placeholder import placeholder\n'
        'from fsp_pyramid.imaging.render import render_bytes\n'
        'peak = lambda: int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])\n'
        'data = BAD[sys.argv[1]](); render_bytes(placeholder()); before = peak()\n'
        'try: render_bytes(data)\n'
        'except Unrenderable as error: print(peak() - before, error)'
    )
    done = subprocess.run([sys.executable, '-c', code, name], capture_output=True, text=True, check=True)
    taken, reason = done.stdout.split(maxsplit=1)
    assert int(taken) < 10_000  # KB
    assert reason.startswith('its size is 12000 x 12000')


def test_only_the_first_frame_is_decoded() -> None:
    for format_ in ('GIF', 'PNG'):
        assert is_upright(rendered(animation(format_)[:-40]))


@pytest.mark.filterwarnings('ignore:Image was not the expected size')
def test_inner_size_of_an_icon_is_checked() -> None:
    assert rendered(icon_of(saved(quarters(), 'PNG'))).size == (200, 133)


def test_global_state_of_pillow_and_warnings_is_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None)
    filters = list(warnings.filters)
    for name, make in BAD.items():
        with pytest.raises(Unrenderable):
            render_bytes(make())
        assert Image.MAX_IMAGE_PIXELS is None, name
    assert warnings.filters == filters


def test_warnings_as_errors_make_a_picture_unrenderable() -> None:
    """Warning filters belong to the host, and threads share them."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(Unrenderable, match='UserWarning: Corrupt EXIF'):
            render_bytes(GOOD['JPEG, broken EXIF']())


def test_concurrent_threads_render_and_refuse() -> None:
    """Bombs are refused and pictures rendered concurrently while warning filters change."""
    good, bomb, warned = GOOD['PNG'](), BAD['PNG of 144 megapixels'](), flat_png(10_000, 10_000)
    expected = render_bytes(good)

    def outcome(data: bytes) -> bytes | str:
        try:
            return render_bytes(data)
        except Unrenderable as error:
            return type(error).__name__

    with ThreadPoolExecutor(8) as threads:
        results = threads.map(outcome, [good, bomb, warned] * 30)
        for action in ('error', 'ignore') * 20:
            with warnings.catch_warnings():
                warnings.simplefilter(action)
        assert list(results) == [expected, 'Unrenderable', 'Unrenderable'] * 30


# Fuzz


SMALL = {
    'JPEG': saved(quarters(24, 16), 'JPEG', exif=Image.Exif().tobytes()),
    'JPEG, progressive': saved(quarters(24, 16, 'CMYK'), 'JPEG', progressive=True),
    'JPEG, turned': GOOD['JPEG, orientation 6'](),
    'JPEG, profile': GOOD['JPEG, swapped profile'](),
    'PNG': saved(quarters(24, 16), 'PNG'),
    'PNG, palette': saved(ring('P').resize((24, 24)), 'PNG', transparency=3),
    'PNG, animated': GOOD['PNG, animated'](),
    'GIF': saved(quarters(24, 16, 'P'), 'GIF'),
    'WebP': saved(quarters(24, 16), 'WEBP'),
    'WebP, lossless': saved(ring().resize((24, 24)), 'WEBP', lossless=True),
    'AVIF': saved(ring().resize((24, 24)), 'AVIF'),
    'BMP': saved(quarters(24, 16, 'P'), 'BMP'),
    'ICO': saved(ring(), 'ICO', sizes=[(16, 16)]),
    'ICO, bitmap': saved(ring(), 'ICO', sizes=[(16, 16)], bitmap_format='bmp'),
    'TIFF': saved(quarters(24, 16), 'TIFF'),
    'TIFF, LZW': saved(quarters(24, 16), 'TIFF', compression='tiff_lzw'),
    'TIFF, float': saved(ramp('F', 0, 1).resize((24, 16)), 'TIFF'),
    **({'HEIC': GOOD['HEIC']()} if HEIC else {}),
}


@given(st.data(), st.sampled_from(sorted(SMALL)), st.sampled_from(['error', 'ignore']))
@settings(max_examples=250, deadline=None)
def test_broken_pictures_are_rendered_or_refused(data: st.DataObject, name: str, action: str) -> None:
    picture = bytearray(SMALL[name])
    # Most of what can go wrong stands at the beginning.
    places = st.one_of(st.integers(0, min(200, len(picture) - 1)), st.integers(0, len(picture) - 1))
    values = st.one_of(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]), st.integers(0, 255))
    for place, value in data.draw(st.lists(st.tuples(places, values), max_size=6)):
        picture[place] = value
    length = data.draw(st.one_of(st.just(len(picture)), st.integers(0, len(picture))))
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        try:
            image = rendered(bytes(picture[:length]))
        except Unrenderable:
            return
    assert max(image.size) <= SIZE


@given(st.binary(max_size=300), st.sampled_from(sorted(SMALL)))
@settings(max_examples=60, deadline=None)
def test_random_tail_of_a_picture_is_rendered_or_refused(tail: bytes, name: str) -> None:
    with contextlib.suppress(Unrenderable):
        rendered(SMALL[name][: len(SMALL[name]) // 2] + tail)


# Types, HEIC and the placeholder


def test_rendered_types_match_file_names() -> None:
    names = ['a.jpg', 'a.JPEG', 'a.jfif', 'a.png', 'a.gif', 'a.webp', 'a.avif', 'a.bmp', 'a.tif', 'a.tiff', 'a.ico']
    names += ['a.pjpeg', 'a.pjp', 'a.dib', 'a.jp2', 'a.apng']
    assert {type_of_name(name) for name in names} == {each for each in TYPES if 'hei' not in each}
    assert not {type_of_name(name) for name in ('a.svg', 'a.pdf', 'a.mp4', 'a.eps', 'a.psd')} & TYPES


@needs_heic
def test_heic_plugin_is_imported_on_demand() -> None:
    code = (
        'import sys\n'
        'from PIL import Image\n'
        'from fsp_pyramid.imaging.contract import TYPES\n'
        'from fsp_pyramid.imaging.render import render_bytes\n'
        'assert {"image/heic", "image/heif"} <= TYPES and "pillow_heif" not in sys.modules\n'
        'render_bytes(sys.stdin.buffer.read()); assert "HEIF" in Image.OPEN'
    )
    subprocess.run([sys.executable, '-c', code], input=GOOD['HEIC'](), check=True)


def test_heic_is_refused_without_the_extra() -> None:
    code = (
        'import importlib.util as util\n'
        'find = util.find_spec\n'
        'util.find_spec = lambda name, *rest: None if name == "pillow_heif" else find(name, *rest)\n'
        'from fsp_pyramid.imaging.contract import TYPES, Unrenderable\n'
        'from fsp_pyramid.imaging.render import render_bytes\n'
        'assert not any("hei" in each for each in TYPES)\n'
        'try: render_bytes(bytes((0, 0, 0, 24)) + b"ftypheic" + bytes(4) + b"mif1heic")\n'
        'except Unrenderable as error: print(error)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == 'its content is image/heic\n'


@needs_heic
def test_types_of_the_contract_are_those_that_pillow_opens() -> None:
    assert set(formats._FORMATS) == TYPES


def test_placeholder_is_a_light_card_with_a_sign() -> None:
    image = opened(placeholder())
    assert image.size == (SIZE, SIZE)
    assert image.getpixel((0, 0))[3] == 0
    light = image.convert('L').crop((10, 10, 190, 190))
    assert light.getextrema()[0] < 210 < 240 < light.getextrema()[1]  # a sign on a light card
    assert placeholder() is placeholder()
