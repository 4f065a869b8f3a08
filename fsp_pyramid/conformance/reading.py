"""Tolerant reading of answers: a provider that differs in one thing is still checked for all others."""

from typing import Any

from .http import Reply

DIRECTORY_TYPE = 'application/directory'
Meta = dict[str, Any]


def data_of(reply: Reply) -> Any:
    """Return ``data`` of the envelope, or the whole value where there is no envelope."""
    value = reply.json
    return value['data'] if isinstance(value, dict) and 'data' in value else value


def meta_of(reply: Reply) -> Meta | None:
    """Return the metadata of the resource itself, wherever they stand."""
    data = data_of(reply)
    if isinstance(data, dict) and isinstance(data.get('meta'), dict):
        return data['meta']
    return data if isinstance(data, dict) and 'mime-type' in data else None


def items_of(reply: Reply) -> list[Any] | None:
    """Return the items of a listing, wherever they stand."""
    data = data_of(reply)
    if isinstance(data, dict):
        data = data.get('items')
    return data if isinstance(data, list) else None


def metas_of(reply: Reply) -> list[Meta]:
    """Return those items of a listing that are objects."""
    return [item for item in items_of(reply) or [] if isinstance(item, dict)]


def is_directory(meta: Meta) -> bool:
    """Tell whether *meta* are those of a directory, by the type or by the path."""
    return meta.get('mime-type') == DIRECTORY_TYPE or str(meta.get('path', '')).endswith('/')


def name_of(meta: Meta) -> str:
    """Return the name; where that is none, the last segment of the path; '' if there is neither."""
    name = text_of(meta, 'name')
    return name if name and '/' not in name else text_of(meta, 'path').rstrip('/').rpartition('/')[2]


def names_of(reply: Reply) -> list[str]:
    """Return the names in a listing, directories with a slash."""
    return [name_of(meta) + ('/' if is_directory(meta) else '') for meta in metas_of(reply)]


def child(directory: str, meta: Meta) -> str:
    """Return the path of an item of *directory*, by its name: its own path may be wrong."""
    return directory + name_of(meta) + ('/' if is_directory(meta) else '')


def text_of(meta: Meta | None, field: str) -> str:
    """Return a field that is text; '' if it is missing or something else."""
    value = (meta or {}).get(field)
    return value if isinstance(value, str) else ''


def is_integer(value: Any) -> bool:
    """Tell whether a JSON value is an integer: true and false are none, 1.0 is none."""
    return isinstance(value, int) and not isinstance(value, bool)
