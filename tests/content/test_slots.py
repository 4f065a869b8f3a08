"""Bounds on the threads that contents on their way keep."""

from contextlib import ExitStack

import pytest

from fsp_pyramid.content.slots import BUFFERED, Slots
from fsp_pyramid.errors import Busy


@pytest.mark.parametrize('size', [BUFFERED + 1, None])
def test_large_contents_leave_half_of_the_slots(size: int | None) -> None:
    slots = Slots(6, 0.01)
    with ExitStack() as stack:
        for _ in range(3):
            stack.callback(slots.take(size))
        with pytest.raises(Busy):
            slots.take(size)
        for _ in range(3):
            stack.callback(slots.take(BUFFERED))
        with pytest.raises(Busy):
            slots.take(0)
    for _ in range(3):
        slots.take(size)


def test_a_slot_is_given_back_once() -> None:
    slots = Slots(2, 0.01)
    give_back = slots.take(None)
    give_back()
    give_back()
    slots.take(0)
    slots.take(0)
    with pytest.raises(Busy):
        slots.take(0)


def test_one_slot_serves_large_contents_too() -> None:
    Slots(1, 0.01).take(None)
