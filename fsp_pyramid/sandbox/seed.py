"""Content of a new sandbox: the files of Morrow Coffee, a roastery that does not exist.

The pictures are drawn on demand, so that the package carries no binary files and a marketer
still finds something worth looking at.
"""

import time
from collections.abc import Iterator
from io import BytesIO
from math import pi

from PIL import ExifTags, Image

from .artwork import (
    CLAY,
    CREAM,
    ESPRESSO,
    EVENING,
    FOAM,
    HONEY,
    MOONLIT,
    MORNING,
    NIGHT,
    SAGE,
    bag,
    headline,
    icon,
    lake,
    latte,
    logo,
    palette,
    pattern,
    poster,
    scene,
)

FIRST_DAY, DAY = 1_767_258_000_000, 86_400_000  # 2026-01-01 09:00 UTC, in milliseconds


def encoded(picture: Image.Image, name: str, **options: object) -> bytes:
    """Return the picture in the format that its file name asks for."""
    kind = Image.registered_extensions()['.' + name.rpartition('.')[2]]
    out = BytesIO()
    picture.save(out, kind, quality=88, **options)
    return out.getvalue()


def guidelines(name: str) -> bytes:
    """Return the two pages of the brand guidelines as a document."""
    sign = logo('Slow mornings, good beans')
    pages = [Image.new('RGB', (842, 595), colour) for colour in (CREAM, FOAM)]
    pages[0].paste(sign, (20, 130), sign)
    pages[1].paste(palette().resize((842, 354)), (0, 100))
    # Without a date of its own the document would carry the time of day.
    day = time.gmtime(FIRST_DAY / 1000)
    options = {'title': 'Brand guidelines', 'creationDate': day, 'modDate': day, 'resolution': 72}
    return encoded(pages[0], name, save_all=True, append_images=pages[1:], **options)


def steaming(name: str) -> bytes:
    """Return an animation of a steaming cup."""
    first, *rest = (poster(320, 320, CLAY, -step * pi / 5).done().quantize(32) for step in range(10))
    return encoded(first, name, save_all=True, append_images=rest, duration=90, loop=0)


def lying(upright: Image.Image, name: str) -> bytes:
    """Return a picture as a telephone stores it: on its side, with a note to turn it clockwise."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encoded(upright.transpose(Image.Transpose.ROTATE_90), name, exif=exif)


def svg(width: int, *shapes: str) -> str:
    """Return an SVG document, 100 units high, of the given shapes."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 100">'
    return '\n'.join((head, *shapes, '</svg>', ''))


SUN = f'<circle cx="50" cy="50" r="46" fill="{HONEY}"/>'
BEAN = f'<ellipse cx="50" cy="52" rx="20" ry="28" fill="{ESPRESSO}"/>'
CREASE = f'<path d="M50 26q-12 13 0 26t0 26" fill="none" stroke="{HONEY}" stroke-width="3"/>'
NAME = f'<text x="110" y="68" font-family="sans-serif" font-size="56" fill="{ESPRESSO}">morrow</text>'
PRESS = """Morrow Coffee

Morrow Coffee roasts on Tuesdays and sends on Wednesdays. The house was founded in 2014 by two
cyclists who missed a decent café on the way to work. Today eleven people roast for four hundred
offices, and the first cup is still poured for whoever unlocks the door.
"""
MAILS = """Subject: Good morning, spring
Preview: The new harvest is here & it was roasted on Tuesday.

Subject: #slowmornings start with you
Preview: Show us your first cup and win a year of No. 1.
"""
PRICES = """Name;Weight;Price
Morrow No. 1;250 g;9.50 €
Doña Inés;250 g;11.00 €
Filter & espresso;250 g;10.50 €
Dark + strong;250 g;9.00 €
"""

Things = Iterator[tuple[str, Image.Image | str | bytes]]


def brand() -> Things:
    """Yield the files of the brand folder."""
    yield '#slowmornings.gif', steaming('.gif')
    yield '100% Arabica.webp', headline(poster(1000, 400, NIGHT), '100% Arabica', 'and 0% hurry')
    yield 'Beans & leaves.png', pattern()
    yield 'Brand guidelines.pdf', guidelines('.pdf')
    yield 'Café crème.jpg', latte(900, CLAY)
    yield 'Colour palette.png', palette()
    yield 'Evening at the lake.jpg', lying(lake(), '.jpg')
    yield 'Logo + claim.png', logo('Slow mornings, good beans')
    yield 'Logo.png', logo()
    yield 'Logo.svg', svg(300, SUN, BEAN, CREASE, NAME)
    yield 'Press text.txt', PRESS


def spring() -> Things:
    """Yield the files of the spring campaign."""
    yield 'E-mail header.png', headline(poster(1200, 300, SAGE), 'New harvest', 'Spring 2026')
    hero = headline(scene(1200, 600, MORNING), 'Good morning, spring', 'Roasted on Tuesday')
    yield 'Hero.jpg', hero
    yield 'Hero (mobile).jpg', scene(600, 800, MORNING).done()
    yield 'Square post.png', poster(600, 600, SAGE).done()
    yield 'Subject lines.txt', MAILS


def winter() -> Things:
    """Yield the files of the autumn and winter campaign."""
    yield '20% off.png', headline(poster(1200, 400, CLAY), '20% off', 'every bag, this week')
    yield 'Hero.jpg', scene(1200, 600, EVENING).done()
    yield 'Moonlit hero.webp', headline(scene(1200, 600, MOONLIT, 90), 'Long nights', 'Dark + strong')


def products() -> Things:
    """Yield the pictures of products, and the price list."""
    yield 'Dark + strong.png', bag(400, NIGHT, 'Dark', 'cocoa, smoke')
    yield 'Doña Inés.png', bag(400, HONEY, 'Finca', 'orange, caramel')
    yield 'Filter & espresso.png', bag(400, SAGE, 'Both', 'jasmine, lime')
    yield 'Morrow No. 1.png', bag(400, CLAY, 'No. 1', 'honey, plum, cocoa')
    yield 'Price list #3.csv', PRICES


def icons() -> Things:
    """Yield the icons."""
    for sign in ('bean', 'cup', 'leaf'):
        yield f'{sign} 48.png', icon(sign)
    yield 'bean.svg', svg(100, SUN, BEAN, CREASE)


def demo() -> Things:
    """Yield the files in the folder of the demo user."""
    yield 'Welcome.jpg', headline(scene(1000, 400, MORNING), 'Welcome', 'to your own folder')
    yield 'Notes.txt', 'Everything in this folder is yours: rename it, replace it, delete it.\n'


def pictures() -> Things:
    """Yield the files in the demo user's folder of pictures."""
    yield 'Latte.jpg', latte(600, SAGE)
    yield 'Grüße aus München.png', headline(poster(900, 450, NIGHT), 'Servus!', 'Back on Monday')


def nothing() -> Things:
    """Yield no files: the folder has subfolders only."""
    yield from ()


FOLDERS = {
    '/Shared/Brand': brand,
    '/Shared/Brand/Campaigns': nothing,
    '/Shared/Brand/Campaigns/Autumn + winter': winter,
    '/Shared/Brand/Campaigns/Spring 2026': spring,
    '/Shared/Brand/Icons & signs': icons,
    '/Shared/Brand/Products': products,
    '/Shared/Beefree': nothing,
    '/Shared/Beefree/demo': demo,
    '/Shared/Beefree/demo/My pictures': pictures,
}


def tree() -> Iterator[tuple[str, bytes | None, int]]:
    """Yield absolute path, content (None: a folder) and time of change in epoch milliseconds.

    Parents come before their children; `/Shared` itself is always there and is left out.
    """
    modified = FIRST_DAY
    for folder, things in FOLDERS.items():
        yield folder, None, modified
        for name, thing in things():
            modified += 5 * DAY
            content = encoded(thing, name) if isinstance(thing, Image.Image) else thing
            yield f'{folder}/{name}', content.encode() if isinstance(content, str) else content, modified
