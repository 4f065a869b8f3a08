"""Checksums of Egnyte."""

import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid import egnyte
from fsp_pyramid.egnyte import Client, RateLimiter, Verifier
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.testing import Sandbox, content


def fits(checksum: str, data: bytes, cuts: list[int]) -> bool:
    verifier, last = Verifier(checksum), 0
    for cut in sorted(min(cut, len(data)) for cut in cuts):
        verifier.update(data[last:cut])
        last = cut
    verifier.update(data[last:])
    return verifier.fits()


CUTS = st.lists(st.integers(0, 60))


@given(st.binary(max_size=50), CUTS)
def test_sha_512(data: bytes, cuts: list[int]) -> None:
    checksum = hashlib.sha512(data).hexdigest()
    assert fits(checksum.upper(), data, cuts)
    assert not fits(checksum, data + b'x', cuts)


@given(st.binary(min_size=1, max_size=50), st.integers(1, 20), CUTS)
def test_composite_of_chunks(data: bytes, size: int, cuts: list[int]) -> None:
    client = Client(URL, TOKEN, session=egnyte.new_session(), rate_limiter=RateLimiter(), chunk_size=size)
    checksum = client.checksum(content(data))
    assert fits(checksum, data, cuts)
    assert not fits(checksum, data[:-1], cuts)


@given(st.text(max_size=20))
def test_unknown_checksum_matches_everything(checksum: str) -> None:
    assert fits(checksum, b'anything', [])


def test_composite_is_that_of_the_sandbox(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, chunk_minimum=1)
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter(), chunk_size=4)
    client.create_folder('/Shared/Team')
    data = b'0123456789'
    stored = client.upload('/Shared/Team/a', content(data))
    download = client.download(stored.file_id)
    assert download.checksum == stored.checksum
    assert fits(download.checksum, b''.join(download), [3, 7])
    download.close()
