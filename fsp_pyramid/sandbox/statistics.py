"""Statistics of a folder."""

from .call import Call
from .tree import Node


def statistics(call: Call, folder: Node) -> dict[str, int]:
    """Return counts and sizes of the folder itself and all below it."""
    ids = call.tree.ids_in(folder.id)
    below = 'FROM nodes n LEFT JOIN versions v ON v.{} WHERE n.id IN (SELECT value FROM json_each(?))'
    query = 'SELECT sum(NOT n.is_file), sum(n.is_file), coalesce(sum(v.size), 0) ' + below.format('id = n.version')
    folders, files, files_size = call.db.execute(query, (ids,)).fetchone()
    query = 'SELECT count(v.id), coalesce(sum(v.size), 0) ' + below.format('node = n.id')
    versions, versions_size = call.db.execute(query, (ids,)).fetchone()
    return {
        'allVersionsSize': versions_size,
        'allFilesSize': files_size,
        'filesCount': files,
        'fileVersionsCount': versions,
        # In the one capture there is, the folder seems to count itself.
        'foldersCount': folders,
        'allFilesSizeInKB': files_size // 1024,
        'allVersionsSizeInKB': versions_size // 1024,
    }
