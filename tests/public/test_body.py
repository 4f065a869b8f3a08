"""Body of a public file: it reads and seeks like the part of the file that it sends."""

import os
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.concurrency.growing_file import GrowingFile
from fsp_pyramid.public.delivery import Body

CONTENT = bytes(range(200))
OFFSETS = st.integers(0, 220)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just('read'), st.integers(-1, 220)),
        st.tuples(st.just('seek'), OFFSETS, st.just(os.SEEK_SET)),
        st.tuples(st.just('seek'), OFFSETS, st.just(os.SEEK_CUR)),
        st.tuples(st.just('seek'), st.integers(-5, 20), st.just(os.SEEK_END)),
        st.tuples(st.just('tell')),
    )
)
PARTS = st.none() | st.builds(range, st.integers(0, 100), st.integers(100, 200))


@given(PARTS, STEPS)
def test_body_reads_and_seeks_like_a_file_that_ends_with_the_part(
    part: range | None, steps: list[tuple[str, *tuple[int, ...]]]
) -> None:
    body = Body(BytesIO(CONTENT), lambda _size: None, part)
    model = BytesIO(CONTENT if part is None else CONTENT[: part.stop])
    model.seek(part.start if part else 0)
    for name, *arguments in steps:
        assert getattr(body, name)(*arguments) == getattr(model, name)(*arguments)
    body.close()


def test_position_costs_no_system_call() -> None:
    class File(BytesIO):
        seeks = 0

        def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
            File.seeks += 1
            return super().seek(offset, whence)

    read: list[int] = []
    body = Body(File(CONTENT), read.append, range(len(CONTENT)))
    # As waitress does: it measures the part, and skips a block after it was sent.
    assert (body.tell(), body.seek(0, os.SEEK_END), body.tell(), body.seek(0)) == (0, 200, 200, 0)
    for at in (0, 100):
        assert body.tell() == at
        assert body.read(100) == CONTENT[at : at + 100]
        body.seek(at)
        body.seek(100, os.SEEK_CUR)
    body.close()
    body.close()
    assert (File.seeks, read) == (0, [200])


def test_part_is_complete_although_the_download_fails_behind_it() -> None:
    file = GrowingFile(BytesIO())
    file.write(CONTENT)
    body = Body(file.reader(), lambda _size: None, range(100))
    assert next(body) == CONTENT[:100]
    file.fail(EOFError())
    assert list(body) == []
    assert body.read(10) == b''
    body.close()
    file.close()
