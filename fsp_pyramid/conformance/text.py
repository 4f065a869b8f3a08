"""Text for reports: what a provider sent is described, bounded and harmless."""

from typing import Any

LIMIT = 300


def clean(text: str, limit: int = LIMIT) -> str:
    """Return *text* in one line of printable characters, *limit* at most."""
    line = ''.join(c if c.isprintable() else c.encode('unicode_escape').decode() for c in text[: 2 * limit])
    return line if len(line) <= limit else f'{line[: limit - 1]}…'


def describe(value: Any) -> str:
    """Return the JSON type of *value*, with the value if that is short and simple."""
    match value:
        case None | bool():
            return {None: 'null', True: 'true', False: 'false'}[value]
        case dict():
            return f'an object with {listed(value)}' if value else 'an empty object'
        case list():
            return f'an array of {len(value)}' if value else 'an empty array'
        case str():
            return f'the string "{clean(value, 80)}"'
        case _:
            return f'the number {clean(_number(value), 40)}'


def listed(names: Any) -> str:
    """Return up to eight *names* in one line."""
    shown = [clean(str(name), 40) for name in list(names)[:8]]
    return ', '.join(shown) + (', ...' if len(names) > len(shown) else '')


def _number(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python converts
        return 'of thousands of digits'
