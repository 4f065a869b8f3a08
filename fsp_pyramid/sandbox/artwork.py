"""Drawing of the pictures in the sandbox's seed: Morrow Coffee, a roastery that does not exist."""

from collections.abc import Sequence
from math import cos, pi, sin

from PIL import Image, ImageColor, ImageDraw, ImageFont

CREAM, FOAM, LATTE, TOFFEE = '#f7efe2', '#fffaf1', '#d9b48a', '#b07a4a'
ESPRESSO, CLAY, HONEY, SAGE, NIGHT = '#3a241a', '#c4583c', '#e5a94f', '#7d9b76', '#24324a'
# sky above and below, glow, sun, hills from the farthest to the nearest, place of the sun
MORNING = ('#7fb3c8', '#fde3bd', '#fff3d0', FOAM, '#b9c8b0 #9db494 #7d9b76 #5c7f5c #3f6148', 0.82)
EVENING = (
    '#53375e', '#f0975a', '#ffc977', '#ffe7b0', '#c06b55 #9a4f4c #713b45 #4d2b3b #2f1d2c', 0.3,
)  # fmt: skip
MOONLIT = ('#0d1526', '#3d5475', '#8ea3c4', FOAM, '#33486a #273956 #1b2941 #111b2d', 0.75)

Point = tuple[float, float]


class Canvas:
    """A picture that is drawn at twice its size, because Pillow draws no smooth edges."""

    def __init__(self, width: int, height: int, colour: str = '#00000000') -> None:
        self.width, self.height = width, height
        self.image = Image.new('RGBA', (2 * width, 2 * height), colour)
        self.draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[Point], colour: str) -> None:
        self.draw.polygon([(2 * x, 2 * y) for x, y in points], fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: str) -> None:
        scaled = [(2 * x, 2 * y) for x, y in points]
        self.draw.line(scaled, fill=colour, width=round(2 * width), joint='curve')

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: str) -> None:
        self.draw.ellipse((2 * (x - rx), 2 * (y - ry), 2 * (x + rx), 2 * (y + ry)), fill=colour)

    def ring(self, x: float, y: float, r: float, width: float, colour: str) -> None:
        edges = (2 * (x - r), 2 * (y - r), 2 * (x + r), 2 * (y + r))
        self.draw.ellipse(edges, outline=colour, width=round(2 * width))

    def box(self, x: float, y: float, width: float, height: float, colour: str, r: int = 0) -> None:
        edges = (2 * x, 2 * y, 2 * (x + width), 2 * (y + height))
        self.draw.rounded_rectangle(edges, 2 * r, fill=colour)

    def text(self, x: float, y: float, text: str, size: float, colour: str, at: str = 'mm') -> None:
        font = ImageFont.load_default(2 * size)  # Pillow's own: it has no accents
        self.draw.text((2 * x, 2 * y), text, fill=colour, font=font, anchor=at)

    def shade(self, top: str, bottom: str) -> None:
        mask = Image.linear_gradient('L').resize(self.image.size)
        first, second = (Image.new('RGBA', self.image.size, colour) for colour in (bottom, top))
        self.image.paste(Image.composite(first, second, mask))

    def glow(self, x: float, y: float, r: float, colour: str) -> None:
        # Pillow's gradient ends in the corners; it is 181 in the middle of an edge.
        circle = Image.radial_gradient('L').point([max(0, 255 - v * 255 // 181) for v in range(256)])
        mask = circle.resize((round(4 * r),) * 2)
        place = (round(2 * (x - r)), round(2 * (y - r)))
        self.image.paste(Image.new('RGBA', mask.size, colour), place, mask)

    def done(self, mode: str = 'RGB') -> Image.Image:
        return self.image.reduce(2).convert(mode)


def darker(colour: str) -> str:
    """Return *colour* at four fifths of its brightness."""
    return '#{:02x}{:02x}{:02x}'.format(*(part * 4 // 5 for part in ImageColor.getrgb(colour)))


def bean(c: Canvas, x: float, y: float, r: float, colour: str, crease: str) -> None:
    """Draw a coffee bean of radius *r* around (x, y), with its crease."""
    c.ellipse(x, y, r * 0.72, r, colour)
    wave = [(x + r * 0.16 * sin(t * pi / 10), y + r * t / 11) for t in range(-10, 11)]
    c.line(wave, max(r * 0.1, 1), crease)


def sprig(c: Canvas, x: float, y: float, r: float, colour: str) -> None:
    """Draw a sprig of leaves around (x, y)."""
    c.line([(x, y + r), (x, y - r)], r * 0.06, colour)
    for step in range(5):
        low = y + r * (0.75 - 0.38 * step)
        for side in (-1, 1):
            tip, middle = (x + side * r * 0.55, low - r * 0.45), x + side * r * 0.2
            c.polygon([(x, low), (middle, low - r * 0.42), tip, (middle, low - r * 0.1)], colour)


def cup(c: Canvas, x: float, y: float, r: float, phase: float = 0) -> None:
    """Draw a cup from the side, `r` half its width, its rim around (x, y)."""
    for offset in (-0.35, 0, 0.35):
        bend = [r * (offset + 0.09 * sin(t / 3 + phase + offset * 4)) for t in range(15)]
        c.line([(x + b, y - r * (0.2 + 0.07 * t)) for t, b in enumerate(bend)], r * 0.07, FOAM)
    c.ellipse(x, y + r * 1.32, r * 1.5, r * 0.2, LATTE)
    c.ellipse(x, y + r * 1.26, r * 1.5, r * 0.18, CREAM)
    c.ring(x + r * 1.05, y + r * 0.45, r * 0.42, r * 0.15, CREAM)
    sides = [(cos(t * pi / 24), max(sin(t * pi / 24), 0) ** 0.8) for t in range(25)]
    c.polygon([(x + r * a, y + r * 1.3 * b) for a, b in sides], CREAM)
    right = [(a, b) for a, b in sides if a >= 0.5] + [(0.62, 0.1)]
    c.polygon([(x + r * a, y + r * 1.3 * b) for a, b in right], LATTE)
    c.ellipse(x, y, r, r * 0.22, FOAM)
    c.ellipse(x, y + r * 0.02, r * 0.9, r * 0.16, ESPRESSO)


def latte(size: int, table: str) -> Image.Image:
    """Return a cup from above, with a heart in its foam."""
    c, m = Canvas(size, size, table), size / 2
    for x, y, r in ((0.12, 0.16, 0.03), (0.2, 0.1, 0.034), (0.88, 0.86, 0.038), (0.8, 0.92, 0.03)):
        bean(c, size * x, size * y, size * r, ESPRESSO, TOFFEE)
    c.ellipse(m + size * 0.015, m + size * 0.025, size * 0.42, size * 0.42, darker(table))
    c.ellipse(m, m, size * 0.41, size * 0.41, FOAM)
    c.box(m + size * 0.26, m - size * 0.035, size * 0.22, size * 0.07, FOAM, round(size * 0.03))
    c.ring(m, m, size * 0.33, size * 0.01, LATTE)
    c.ellipse(m, m, size * 0.27, size * 0.27, ESPRESSO)
    c.ellipse(m, m, size * 0.25, size * 0.25, TOFFEE)
    for scale, colour in ((0.0118, LATTE), (0.0098, FOAM), (0.0062, LATTE), (0.0044, FOAM)):
        heart, unit = [], size * scale
        for step in range(72):
            t = step * pi / 36
            up = 1 + 13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)
            heart.append((m + unit * 16 * sin(t) ** 3, m - unit * up))
        c.polygon(heart, colour)
    return c.done()


def scene(width: int, height: int, colours: tuple[str, str, str, str, str, float], stars: int = 0) -> Canvas:
    """Draw hills, one behind the other, below a sun or a moon."""
    top, bottom, glow, sun, hills, place = colours
    c = Canvas(width, height)
    c.shade(top, bottom)
    for star in range(stars):
        r = 0.7 + star % 3 * 0.5
        c.ellipse(star * 0.618 % 1 * width, star * 0.377 % 0.6 * height, r, r, FOAM)
    x, y = place * width, height * (0.25 if stars else 0.42)
    c.glow(x, y, height * 0.45, glow)
    c.ellipse(x, y, height * 0.08, height * 0.08, sun)
    rows = hills.split()
    for row, colour in enumerate(rows):
        base, swing = height * (0.52 + 0.48 * row / len(rows)), height * (0.07 - 0.008 * row)
        waves = [(x, sin(x / height * 4 + row * 2), sin(x / height * 11 + row))
                 for x in range(0, width + 8, 8)]  # fmt: skip
        ridge = [(x, base + swing * (long + 0.4 * short)) for x, long, short in waves]
        c.polygon([(0, height), *ridge, (width, height)], colour)
    return c


def lake() -> Image.Image:
    """Return a picture taken upright: the evening over a lake."""
    c = scene(720, 1080, EVENING)
    c.box(0, 800, 720, 280, '#6d4658')
    for row in range(24):
        width = 150 - 5 * row + 30 * sin(row * 2.4)
        c.box(216 - width / 2, 812 + row * 11, width, 3.5, '#f3b071', 1)
    for x, y, r in ((610, 790, 190), (690, 890, 230), (40, 950, 130)):
        sprig(c, x, y, r, '#21141f')
    return c.done()


def bag(size: int, colour: str, name: str, notes: str) -> Image.Image:
    """Return a bag of coffee with its label."""
    c, u = Canvas(size, round(size * 1.3)), size / 100
    shade = darker(colour)
    c.ellipse(50 * u, 122 * u, 40 * u, 5 * u, '#00000030')
    c.polygon([(14 * u, 20 * u), (86 * u, 20 * u), (88 * u, 122 * u), (12 * u, 122 * u)], colour)
    c.polygon([(74 * u, 20 * u), (86 * u, 20 * u), (88 * u, 122 * u), (78 * u, 122 * u)], shade)
    c.box(13 * u, 8 * u, 74 * u, 14 * u, colour, round(2 * u))
    c.line([(14 * u, 21.5 * u), (86 * u, 21.5 * u)], 1.2 * u, shade)
    c.text(45 * u, 33 * u, 'morrow', 10 * u, FOAM)
    c.box(22 * u, 44 * u, 46 * u, 56 * u, CREAM, round(2 * u))
    bean(c, 45 * u, 58 * u, 9 * u, colour, CREAM)
    c.text(45 * u, 77 * u, name, 11 * u, ESPRESSO)
    c.text(45 * u, 87 * u, notes, 3.9 * u, TOFFEE)
    c.text(45 * u, 94 * u, 'MORROW COFFEE', 3.4 * u, ESPRESSO)
    return c.done('RGBA')


def logo(claim: str = '') -> Image.Image:
    """Return the sign of the house, a bean that rises like a sun, and its name."""
    c = Canvas(800, 340 if claim else 300)
    c.ellipse(150, 150, 100, 100, HONEY)
    bean(c, 150, 155, 62, ESPRESSO, HONEY)
    c.text(290, 132, 'morrow', 128, ESPRESSO, 'lm')
    c.text(298, 218, 'COFFEE ROASTERS', 33, CLAY, 'lm')
    c.text(298, 285, claim, 38, TOFFEE, 'lm')
    return c.done('RGBA')


def headline(c: Canvas, title: str, line: str) -> Image.Image:
    """Write a title and a line below it, and return the finished picture."""
    size = min(c.height * 0.18, c.width * 0.065)
    x, y = c.width * 0.06, min(c.height * 0.42, c.width * 0.13)
    c.text(x, y, title, size, FOAM, 'lm')
    c.text(x, y + size * 1.05, line, size * 0.48, FOAM, 'lm')
    return c.done()


def poster(width: int, height: int, colour: str, phase: float = 0) -> Canvas:
    """Return a steaming cup in front of a sun, at the right of a wide picture."""
    c, x = Canvas(width, height, colour), min(width * 0.8, width - height * 0.5)
    c.ellipse(x, height * 0.5, height * 0.44, height * 0.44, HONEY)
    cup(c, x - height * 0.02, height * 0.45, height * 0.2, phase)
    return c


def pattern() -> Image.Image:
    """Return a repeating pattern of beans and sprigs."""
    c = Canvas(600, 600, SAGE)
    for place in range(25):
        x, y = 60 + 120 * (place % 5), 60 + 120 * (place // 5)
        if place % 2:
            sprig(c, x, y, 42, '#5f8060')
        else:
            bean(c, x, y, 34, ESPRESSO, SAGE)
    return c.done()


def palette() -> Image.Image:
    """Return a card of the colours of the house with their names."""
    c = Canvas(1000, 420, FOAM)
    c.text(40, 58, 'Our colours', 38, ESPRESSO, 'lm')
    names = 'Cream', 'Latte', 'Honey', 'Clay', 'Sage', 'Night', 'Espresso'
    for column, colour in enumerate((CREAM, LATTE, HONEY, CLAY, SAGE, NIGHT, ESPRESSO)):
        x = 40 + 133 * column
        c.box(x, 110, 120, 210, colour, 12)
        c.text(x + 60, 345, names[column], 20, ESPRESSO)
        c.text(x + 60, 372, colour, 15, TOFFEE)
    return c.done()


def icon(sign: str) -> Image.Image:
    """Return an icon: a sign on a round background."""
    c = Canvas(48, 48)
    c.ellipse(24, 24, 24, 24, CLAY)
    if sign == 'cup':
        cup(c, 23, 20, 11)
    elif sign == 'bean':
        bean(c, 24, 24, 16, CREAM, CLAY)
    else:
        sprig(c, 24, 24, 16, CREAM)
    return c.done('RGBA')
