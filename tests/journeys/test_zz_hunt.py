import pytest

from tests.journeys.repertoire import JOURNEYS
from tests.journeys.swept import moments_of


@pytest.mark.parametrize("name", JOURNEYS)
def test_x(theatre, name):
    m = moments_of(name, theatre)
    print(name, len(m))
