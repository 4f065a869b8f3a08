"""Slots: bounds on the threads that downloads in progress keep."""

from contextlib import ExitStack

import pytest

from fsp_pyramid.content.slots import BUFFERED, ContentSlots
from fsp_pyramid.errors import Busy


@pytest.mark.parametrize('size', [BUFFERED + 1, None])
def test_large_contents_leave_half_of_the_slots(size: int | None) -> None:
    slots = ContentSlots(6, 0.01)
    with ExitStack() as stack:
        for _ in range(3):
            stack.callback(slots.take(size))
        with pytest.raises(Busy):
            slots.take(size)
        for _ in range(3):
            stack.callback(slots.take(BUFFERED))
        with pytest.raises(Busy):
            slots.take(0)
    with ExitStack() as stack:
        for _ in range(3):
            stack.callback(slots.take(size))


def test_slot_is_released_once() -> None:
    slots = ContentSlots(2, 0.01)
    release = slots.take(None)
    release()
    release()
    with ExitStack() as stack:
        stack.callback(slots.take(0))
        stack.callback(slots.take(0))
        with pytest.raises(Busy):
            slots.take(0)


def test_dropped_slot_is_released() -> None:
    slots = ContentSlots(1, 0.01)
    slots.take(0)
    slots.take(0)()


def test_single_slot_serves_large_contents() -> None:
    ContentSlots(1, 0.01).take(None)()
