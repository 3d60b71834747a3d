"""Places for the minute's checks: who hangs takes none from the others."""

from uuid import uuid4

import pytest

from services.provisioner.domain.places import SILENT, Places, places_of_a_lane


def test_a_full_lane_leaves_the_other_lanes_their_places() -> None:
    places = Places(1)
    with places.hold("aws", uuid4()) as first, places.hold("aws", uuid4()) as second:
        assert (first, second) == (True, False)
        with places.hold("azure", uuid4()) as other, places.hold(SILENT, uuid4()) as silent:
            assert (other, silent) == (True, True)
    with places.hold("aws", uuid4()) as again:
        assert again


def test_an_account_is_not_asked_twice_at_once_in_any_lane() -> None:
    places, account = Places(4), uuid4()
    with places.hold("aws", account), places.hold(SILENT, account) as again:
        assert not again


def test_a_check_that_fails_gives_its_place_back() -> None:
    places, account = Places(1), uuid4()
    with pytest.raises(RuntimeError), places.hold("aws", account):
        raise RuntimeError
    with places.hold("aws", account) as again:
        assert again


@pytest.mark.parametrize("workers", [8, 32, 100])
def test_all_lanes_full_leave_workers_free(workers: int) -> None:
    assert (6 + 1) * places_of_a_lane(workers, 6) < workers
