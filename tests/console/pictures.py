"""Pictures of the documentation, from the running service: ``make pictures``."""

import base64
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from PIL import Image

from fsp_pyramid import main

from ..browser import chromium
from ..connect.conftest import served
from ..timing import PATIENCE
from .window import Window

IMAGES = Path(__file__).parents[2] / 'docs/images'
HEADERS = {'X-BEE-ClientId': 'app', 'X-BEE-Uid': 'demo'}
WIDTH, HEIGHT = 1280, 820
DIRECTORIES = ('', 'Products/', 'Campaigns/Spring%202026/', 'Icons%20%26%20signs/')
TILE, COLUMNS, GAP, MOST = (152, 114), 8, 8, 16


def make_pictures() -> None:
    """Write the pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        settings = {
            'fsp.username': 'beefree',
            'fsp.password': 'beefree',
            'fsp.egnyte.url': f'sandbox:{directory / "egnyte"}',
            'fsp.folders': '/ /Shared/Beefree/{uid}\n/shared/ /Shared/Brand',
            'fsp.public.cache_dir': str(directory / 'cache'),
            'fsp.console.local': 'true',
            'tm.manager_hook': 'pyramid_tm.explicit_manager',
            'tm.annotate_user': 'false',
        }
        with served(main({}, **settings)) as url, chromium(directory / 'profile') as browser:
            contact_sheet([picture for path in DIRECTORIES for picture in thumbnails(f'{url}/fsp/shared/{path}')])
            window = Window(browser)
            window.open(f'{url}/fsp-console#uid=demo&path=/shared/')
            window.until_names_include('Evening at the lake.jpg')
            window.item('Café crème.jpg')
            window.script("document.querySelector('#calls details').open = true")
            window.until('[...document.images].every(image => image.complete)')
            screenshot(window, 'console.png')
            window.open(f'{url}/fsp-console/status')
            screenshot(window, 'status.png')


def thumbnails(url: str) -> Iterator[Image.Image]:
    """Yield the thumbnails of a directory, once they are made."""
    answer = requests.get(url, headers=HEADERS, auth=('beefree', 'beefree'), timeout=PATIENCE)
    for item in answer.json()['data']['items']:
        if 'thumbnail' in item:
            yield Image.open(io.BytesIO(thumbnail(item['thumbnail'])))


def thumbnail(url: str) -> bytes:
    end = time.monotonic() + PATIENCE
    while True:
        answer = requests.get(url, timeout=PATIENCE)
        if answer.headers['Cache-Control'] != 'no-store':  # else it is a placeholder
            return answer.content
        assert time.monotonic() < end, url
        time.sleep(0.1)


def contact_sheet(pictures: list[Image.Image]) -> None:
    """Write one picture of many thumbnails."""
    shown = pictures[:MOST]
    rows = -(-len(shown) // COLUMNS)
    width, height = (TILE[0] + GAP) * COLUMNS + GAP, (TILE[1] + GAP) * rows + GAP
    sheet = Image.new('RGB', (width, height), 'white')
    tile = Image.new('RGB', TILE, '#f1f3f5')
    for number, picture in enumerate(shown):
        row, column = divmod(number, COLUMNS)
        small = picture.convert('RGBA')
        small.thumbnail(TILE)
        left, top = GAP + column * (TILE[0] + GAP), GAP + row * (TILE[1] + GAP)
        sheet.paste(tile, (left, top))
        sheet.paste(small, (left + (TILE[0] - small.width) // 2, top + (TILE[1] - small.height) // 2), small)
    save(sheet, 'thumbnails.png')


def screenshot(window: Window, name: str) -> None:
    metrics = {'width': WIDTH, 'height': HEIGHT, 'deviceScaleFactor': 1, 'mobile': False}
    window.browser.devtools('Emulation.setDeviceMetricsOverride', **metrics)
    window.script('scrollTo(0, 0)')  # the page scrolls to what is chosen
    data = base64.b64decode(window.browser.command('GET', '/screenshot'))
    save(Image.open(io.BytesIO(data)).convert('RGB'), name)


def save(picture: Image.Image, name: str) -> None:
    picture.quantize(256, kmeans=3).save(IMAGES / name, optimize=True)


if __name__ == '__main__':
    make_pictures()
